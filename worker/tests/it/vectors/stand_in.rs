//! A stand-in for a Qdrant server: the same protocol, points in memory. No registry carries a server's program; whoever has one
//! names it in `CONFAB_TEST_QDRANT_URL`, and the same contract is asked of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::qdrant_client::qdrant::collections_server::{Collections, CollectionsServer};
use ::qdrant_client::qdrant::condition::ConditionOneOf;
use ::qdrant_client::qdrant::r#match::MatchValue;
use ::qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use ::qdrant_client::qdrant::points_server::{Points, PointsServer};
use ::qdrant_client::qdrant::value::Kind;
use ::qdrant_client::qdrant::*;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// What it holds.
#[derive(Clone, Default)]
pub struct StandIn(Arc<Mutex<HashMap<String, Collection>>>);

#[derive(Default)]
struct Collection {
    length: u64,
    indexes: HashSet<String>,
    points: HashMap<String, (Vec<f32>, HashMap<String, Value>)>,
}

/// Listens on a free port; answers its address and what it holds.
pub async fn start() -> (String, StandIn) {
    let held = StandIn::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder()
        .add_service(CollectionsServer::new(held.clone()))
        .add_service(PointsServer::new(held.clone()))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    (url, held)
}

impl StandIn {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Collection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names of its collections.
    pub fn collections(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// Drops them all, as an operator might.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn with<T>(
        &self,
        name: &str,
        work: impl FnOnce(&mut Collection) -> Result<T, Status>,
    ) -> Result<T, Status> {
        let mut all = self.lock();
        let missing = || Status::not_found(format!("Not found: Collection `{name}` doesn't exist!"));
        work(all.get_mut(name).ok_or_else(missing)?)
    }
}

impl Collection {
    fn matching(&self, filter: Option<&Filter>) -> Result<Vec<&String>, Status> {
        let mut found = Vec::new();
        'points: for (id, (_, payload)) in &self.points {
            for condition in filter.into_iter().flat_map(|it| &it.must) {
                if !self.holds(condition, payload)? {
                    continue 'points;
                }
            }
            found.push(id);
        }
        Ok(found)
    }

    fn holds(&self, condition: &Condition, payload: &HashMap<String, Value>) -> Result<bool, Status> {
        let Some(ConditionOneOf::Field(field)) = &condition.condition_one_of else {
            return Err(Status::unimplemented("conditions on fields only"));
        };
        // A real server would read every point; here it is a fault.
        if !self.indexes.contains(&field.key) {
            return Err(Status::invalid_argument(format!("no index for {}", field.key)));
        }
        let Some(value) = payload.get(&field.key) else { return Ok(false) };
        let values = match &value.kind {
            Some(Kind::ListValue(list)) => list.values.clone(),
            _ => vec![value.clone()],
        };
        if let Some(range) = &field.range {
            let number = match &value.kind {
                Some(Kind::IntegerValue(number)) => *number as f64,
                _ => return Ok(false),
            };
            return Ok(range.gte.is_none_or(|from| number >= from) && range.lt.is_none_or(|to| number < to));
        }
        let wanted = field.r#match.as_ref().and_then(|it| it.match_value.clone());
        Ok(values.iter().any(|value| match (&value.kind, &wanted) {
            (Some(Kind::StringValue(text)), Some(MatchValue::Keyword(one))) => text == one,
            (Some(Kind::StringValue(text)), Some(MatchValue::Keywords(many))) => many.strings.contains(text),
            (Some(Kind::IntegerValue(number)), Some(MatchValue::Integer(one))) => number == one,
            _ => false,
        }))
    }
}

fn id_of(id: Option<&PointId>) -> String {
    match id.and_then(|id| id.point_id_options.clone()) {
        Some(point_id::PointIdOptions::Uuid(text)) => text,
        other => panic!("an id of another kind: {other:?}"),
    }
}

fn numbers(vectors: Option<Vectors>) -> Vec<f32> {
    match vectors.and_then(|it| it.vectors_options) {
        Some(vectors::VectorsOptions::Vector(vector)) => match vector.vector {
            Some(vector::Vector::Dense(dense)) => dense.data,
            _ => panic!("a vector of another kind"),
        },
        other => panic!("vectors of another kind: {other:?}"),
    }
}

fn done() -> PointsOperationResponse {
    PointsOperationResponse::default()
}

macro_rules! service {
    ($name:ident { $($served:tt)* } else { $($method:ident: $asked:ty => $answer:ty),* $(,)? }) => {
        #[tonic::async_trait]
        impl $name for StandIn {
            $($served)*
            $(async fn $method(&self, _: Request<$asked>) -> Result<Response<$answer>, Status> {
                Err(Status::unimplemented(stringify!($method)))
            })*
        }
    };
}

service!(Points {
    async fn upsert(&self, asked: Request<UpsertPoints>) -> Result<Response<PointsOperationResponse>, Status> {
        let asked = asked.into_inner();
        assert_eq!(asked.wait, Some(true), "who writes waits until searches see it");
        self.with(&asked.collection_name, |collection| {
            for point in asked.points {
                let vector = numbers(point.vectors);
                if vector.len() as u64 != collection.length {
                    return Err(Status::invalid_argument("Vector dimension error"));
                }
                collection.points.insert(id_of(point.id.as_ref()), (vector, point.payload));
            }
            Ok(Response::new(done()))
        })
    }

    async fn delete(&self, asked: Request<DeletePoints>) -> Result<Response<PointsOperationResponse>, Status> {
        let asked = asked.into_inner();
        assert_eq!(asked.wait, Some(true), "who deletes waits until no search finds it");
        self.with(&asked.collection_name, |collection| {
            let ids: Vec<String> = match asked.points.and_then(|it| it.points_selector_one_of) {
                Some(PointsSelectorOneOf::Points(list)) => list.ids.iter().map(|id| id_of(Some(id))).collect(),
                Some(PointsSelectorOneOf::Filter(filter)) => {
                    collection.matching(Some(&filter))?.into_iter().cloned().collect()
                }
                None => return Err(Status::invalid_argument("what to delete?")),
            };
            for id in ids {
                collection.points.remove(&id);
            }
            Ok(Response::new(done()))
        })
    }

    async fn get(&self, asked: Request<GetPoints>) -> Result<Response<GetResponse>, Status> {
        let asked = asked.into_inner();
        self.with(&asked.collection_name, |collection| {
            let point = |id: &PointId| {
                let (_, payload) = collection.points.get(&id_of(Some(id)))?;
                Some(RetrievedPoint { id: Some(id.clone()), payload: payload.clone(), ..Default::default() })
            };
            Ok(Response::new(GetResponse { result: asked.ids.iter().filter_map(point).collect(), ..Default::default() }))
        })
    }

    async fn create_field_index(
        &self,
        asked: Request<CreateFieldIndexCollection>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let asked = asked.into_inner();
        self.with(&asked.collection_name, |collection| {
            collection.indexes.insert(asked.field_name);
            Ok(Response::new(done()))
        })
    }

    async fn count(&self, asked: Request<CountPoints>) -> Result<Response<CountResponse>, Status> {
        let asked = asked.into_inner();
        self.with(&asked.collection_name, |collection| {
            let count = collection.matching(asked.filter.as_ref())?.len() as u64;
            Ok(Response::new(CountResponse { result: Some(CountResult { count }), ..Default::default() }))
        })
    }

    async fn query(&self, asked: Request<QueryPoints>) -> Result<Response<QueryResponse>, Status> {
        let asked = asked.into_inner();
        let nearest = match asked.query.and_then(|it| it.variant) {
            Some(query::Variant::Nearest(input)) => input.variant,
            other => panic!("another query: {other:?}"),
        };
        let Some(vector_input::Variant::Dense(wanted)) = nearest else { panic!("a vector of another kind") };
        self.with(&asked.collection_name, |collection| {
            let mut found: Vec<ScoredPoint> = collection
                .matching(asked.filter.as_ref())?
                .into_iter()
                .map(|id| {
                    let (vector, payload) = &collection.points[id];
                    let score = vector.iter().zip(&wanted.data).map(|(one, other)| one * other).sum();
                    ScoredPoint { id: Some(id.clone().into()), payload: payload.clone(), score, ..Default::default() }
                })
                .collect();
            found.sort_by(|one, other| other.score.total_cmp(&one.score));
            found.truncate(asked.limit.unwrap_or(10) as usize);
            Ok(Response::new(QueryResponse { result: found, ..Default::default() }))
        })
    }
} else {
    update_vectors: UpdatePointVectors => PointsOperationResponse,
    delete_vectors: DeletePointVectors => PointsOperationResponse,
    set_payload: SetPayloadPoints => PointsOperationResponse,
    overwrite_payload: SetPayloadPoints => PointsOperationResponse,
    delete_payload: DeletePayloadPoints => PointsOperationResponse,
    clear_payload: ClearPayloadPoints => PointsOperationResponse,
    delete_field_index: DeleteFieldIndexCollection => PointsOperationResponse,
    create_vector_name: CreateVectorNameRequest => PointsOperationResponse,
    delete_vector_name: DeleteVectorNameRequest => PointsOperationResponse,
    search: SearchPoints => SearchResponse,
    search_batch: SearchBatchPoints => SearchBatchResponse,
    search_groups: SearchPointGroups => SearchGroupsResponse,
    scroll: ScrollPoints => ScrollResponse,
    recommend: RecommendPoints => RecommendResponse,
    recommend_batch: RecommendBatchPoints => RecommendBatchResponse,
    recommend_groups: RecommendPointGroups => RecommendGroupsResponse,
    discover: DiscoverPoints => DiscoverResponse,
    discover_batch: DiscoverBatchPoints => DiscoverBatchResponse,
    update_batch: UpdateBatchPoints => UpdateBatchResponse,
    query_batch: QueryBatchPoints => QueryBatchResponse,
    query_groups: QueryPointGroups => QueryGroupsResponse,
    facet: FacetCounts => FacetResponse,
    search_matrix_pairs: SearchMatrixPoints => SearchMatrixPairsResponse,
    search_matrix_offsets: SearchMatrixPoints => SearchMatrixOffsetsResponse,
});

service!(Collections {
    async fn create(&self, asked: Request<CreateCollection>) -> Result<Response<CollectionOperationResponse>, Status> {
        let asked = asked.into_inner();
        let length = match asked.vectors_config.and_then(|it| it.config) {
            Some(vectors_config::Config::Params(params)) => params.size,
            other => panic!("another configuration: {other:?}"),
        };
        let mut all = self.lock();
        if all.contains_key(&asked.collection_name) {
            return Err(Status::invalid_argument("Wrong input: Collection already exists!"));
        }
        all.insert(asked.collection_name, Collection { length, ..Collection::default() });
        Ok(Response::new(CollectionOperationResponse { result: true, ..Default::default() }))
    }

    async fn collection_exists(
        &self,
        asked: Request<CollectionExistsRequest>,
    ) -> Result<Response<CollectionExistsResponse>, Status> {
        let exists = self.lock().contains_key(&asked.into_inner().collection_name);
        Ok(Response::new(CollectionExistsResponse { result: Some(CollectionExists { exists }), ..Default::default() }))
    }

    async fn list(&self, _: Request<ListCollectionsRequest>) -> Result<Response<ListCollectionsResponse>, Status> {
        let collections = self.collections().into_iter().map(|name| CollectionDescription { name }).collect();
        Ok(Response::new(ListCollectionsResponse { collections, ..Default::default() }))
    }

    async fn delete(&self, asked: Request<DeleteCollection>) -> Result<Response<CollectionOperationResponse>, Status> {
        let result = self.lock().remove(&asked.into_inner().collection_name).is_some();
        Ok(Response::new(CollectionOperationResponse { result, ..Default::default() }))
    }
} else {
    get: GetCollectionInfoRequest => GetCollectionInfoResponse,
    update: UpdateCollection => CollectionOperationResponse,
    update_aliases: ChangeAliases => CollectionOperationResponse,
    list_collection_aliases: ListCollectionAliasesRequest => ListAliasesResponse,
    list_aliases: ListAliasesRequest => ListAliasesResponse,
    collection_cluster_info: CollectionClusterInfoRequest => CollectionClusterInfoResponse,
    update_collection_cluster_setup: UpdateCollectionClusterSetupRequest => UpdateCollectionClusterSetupResponse,
    create_shard_key: CreateShardKeyRequest => CreateShardKeyResponse,
    delete_shard_key: DeleteShardKeyRequest => DeleteShardKeyResponse,
    list_shard_keys: ListShardKeysRequest => ListShardKeysResponse,
});
