//! The path templates of the OpenAPI document: which one a path is of, and what is known of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use metrics::Histogram;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// All of them, by their number of parts: a request looks at those of its own length only.
pub struct Templates(HashMap<usize, Vec<Template>>);

/// One of them.
pub struct Template {
    parts: Vec<String>,
    /// As the document writes it, such as `/channels/{id}/messages`.
    pub path: Arc<str>,
    /// The methods that it knows, as the header `Allow` lists them.
    pub methods: String,
    /// Whether its POST may answer 201.
    pub creates: bool,
    took: OnceLock<Histogram>,
}

impl Templates {
    /// `document` is the OpenAPI text.
    #[must_use]
    pub fn of(document: &str) -> Self {
        let document: Document = serde_json::from_str(document).unwrap_or_default();
        let mut by_length: HashMap<usize, Vec<Template>> = HashMap::new();
        for (path, operations) in document.paths {
            let template = Template::new(&path, &operations);
            by_length.entry(template.parts.len()).or_default().push(template);
        }
        for templates in by_length.values_mut() {
            // A path that stands there in letters is meant before one with an id in its place.
            templates.sort_by_key(|it| it.parts.iter().filter(|part| is_open(part)).count());
        }
        Self(by_length)
    }

    /// The template of a path, with or without `/api/v1` before it.
    pub fn find(&self, path: &str) -> Option<&Template> {
        let path = path.strip_prefix("/api/v1").unwrap_or(path).trim_matches('/');
        let fits = |it: &&Template| {
            it.parts.iter().zip(path.split('/')).all(|(one, part)| is_open(one) || one == part)
        };
        self.0.get(&path.split('/').count())?.iter().find(fits)
    }
}

impl Template {
    fn new(path: &str, operations: &Operations) -> Self {
        Self {
            parts: path.trim_matches('/').split('/').map(str::to_owned).collect(),
            path: path.into(),
            methods: operations.methods(),
            creates: operations.post.as_ref().is_some_and(|it| it.responses.created.is_some()),
            took: OnceLock::new(),
        }
    }

    /// How long its requests took.
    pub fn took(&self) -> &Histogram {
        self.took.get_or_init(|| took(&self.path))
    }
}

/// How long requests of one route took.
pub fn took(route: &Arc<str>) -> Histogram {
    metrics::histogram!("confab_http_request_duration_seconds", "route" => route.clone())
}

fn is_open(part: &str) -> bool {
    part.starts_with('{')
}

/// What is read of the document: all of it would take ten times its size, at every start.
#[derive(Default, Deserialize)]
struct Document {
    paths: BTreeMap<String, Operations>,
}

#[derive(Deserialize)]
struct Operations {
    get: Option<IgnoredAny>,
    post: Option<Operation>,
    put: Option<IgnoredAny>,
    delete: Option<IgnoredAny>,
    patch: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Operation {
    #[serde(default)]
    responses: Responses,
}

#[derive(Default, Deserialize)]
struct Responses {
    #[serde(rename = "201")]
    created: Option<IgnoredAny>,
}

impl Operations {
    fn methods(&self) -> String {
        let known = [
            ("GET", self.get.is_some()),
            ("POST", self.post.is_some()),
            ("PUT", self.put.is_some()),
            ("DELETE", self.delete.is_some()),
            ("PATCH", self.patch.is_some()),
        ];
        known.iter().filter(|it| it.1).map(|it| it.0).collect::<Vec<_>>().join(", ")
    }
}
