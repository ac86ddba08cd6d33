//! The collection: made when it is first written to, with an index for each field that a search is confined by.

use std::sync::atomic::Ordering;

use confab_core::Result;
use qdrant_client::QdrantError;
use qdrant_client::qdrant::{
    CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, Distance, FieldType,
    ScalarQuantizationBuilder, VectorParamsBuilder,
};

use super::points::{CHANNEL, CREATED_AT, FLAGS, KIND, MESSAGE, SENDER};
use super::{OURS, Qdrant, failed};

/// Fields with an index. Without one a filter reads every point.
const INDEXES: [(&str, FieldType); 6] = [
    (CHANNEL, FieldType::Keyword),
    (MESSAGE, FieldType::Keyword),
    (SENDER, FieldType::Keyword),
    (KIND, FieldType::Keyword),
    (CREATED_AT, FieldType::Integer),
    (FLAGS, FieldType::Integer),
];

impl Qdrant {
    /// Makes the collection unless it is there.
    pub(super) async fn prepare(&self) -> Result<()> {
        if self.is_prepared.load(Ordering::Relaxed) {
            return Ok(());
        }
        let exists =
            self.client.collection_exists(self.collection.as_str()).await.map_err(|error| failed(&error))?;
        if !exists {
            self.create().await?;
        }
        // Also where it was there: whoever made it may have died before its indexes. One that is there is left alone.
        for (field, kind) in INDEXES {
            let call =
                CreateFieldIndexCollectionBuilder::new(self.collection.as_str(), field, kind).wait(true);
            self.client.create_field_index(call).await.map_err(|error| failed(&error))?;
        }
        self.is_prepared.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn create(&self) -> Result<()> {
        // A byte for each number in memory, the numbers themselves on disk: as small as the store in a folder, and
        // what is found by the bytes is weighed again by the numbers.
        let vectors = VectorParamsBuilder::new(self.dimensions as u64, Distance::Dot).on_disk(true);
        let call = CreateCollectionBuilder::new(self.collection.as_str())
            .vectors_config(vectors)
            .quantization_config(ScalarQuantizationBuilder::default().always_ram(true));
        match self.client.create_collection(call).await {
            Ok(_) => Ok(()),
            // Another worker was faster.
            Err(QdrantError::ResponseError { status })
                if status.code() == tonic::Code::AlreadyExists
                    || status.message().contains("already exists") =>
            {
                Ok(())
            }
            Err(error) => Err(failed(&error)),
        }
    }

    /// Deletes the collections of other models in which a place is noted that `is_ours`.
    pub(super) async fn drop_collections(
        &self,
        is_ours: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Vec<String>> {
        let listed = self.client.list_collections().await.map_err(|error| failed(&error))?;
        let mut dropped = Vec::new();
        for collection in listed.collections {
            let name = collection.name;
            if !name.starts_with(OURS) || name == self.collection {
                continue;
            }
            if self.noted_in(&name).await?.is_some_and(|noted| is_ours(&noted)) {
                self.client.delete_collection(name.as_str()).await.map_err(|error| failed(&error))?;
                dropped.push(name);
            }
        }
        Ok(dropped)
    }

    /// Empties it, the place first: a kill in between leaves a store that is made anew.
    pub(super) async fn empty(&self) -> Result<()> {
        use qdrant_client::qdrant::{DeletePointsBuilder, Filter, PointsIdsList};
        self.prepare().await?;
        let place = PointsIdsList { ids: vec![super::points::place_id()] };
        let call = DeletePointsBuilder::new(self.collection.as_str()).points(place).wait(true);
        self.client.delete_points(call).await.map_err(|error| failed(&error))?;
        let call = DeletePointsBuilder::new(self.collection.as_str()).points(Filter::default()).wait(true);
        self.client.delete_points(call).await.map_err(|error| failed(&error))?;
        Ok(())
    }
}
