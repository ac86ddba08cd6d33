pub struct Options{pub users:usize,pub channels:usize,pub messages:usize,pub seed:u64}
#[derive(serde::Serialize)] pub struct Report; impl std::fmt::Display for Report{fn fmt(&self,_:&mut std::fmt::Formatter<'_>)->std::fmt::Result{Ok(())}}
pub async fn run(_:&confab_core::Db,_:&crate::storage::Storage,_:&Options,_:&crate::progress::Progress)->confab_core::Result<Report>{Ok(Report)}
