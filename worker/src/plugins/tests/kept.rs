//! What plugins keep.

use confab_plugin_host::{Entry, Failure, Host as _};

use super::*;
use crate::plugins::host::Occasion;

#[tokio::test]
async fn values_come_back_as_they_were_and_changes_meanwhile_are_noticed() {
    let world = World::new().await;
    let host = world.catalogue.host(&world.dice(), Occasion::event(1), None);
    let bytes: Vec<u8> = (0..=255).cycle().take(64 * 1_024).collect();
    assert_eq!(host.kv_set("big".into(), bytes.clone(), None).await, Ok(1));
    assert_eq!(host.kv_get("big".into()).await, Ok(Some(Entry { value: bytes, revision: 1 })));
    assert_eq!(host.kv_get("absent".into()).await, Ok(None));

    assert_eq!(host.kv_swap("one".into(), 0, b"a".to_vec()).await, Ok(1));
    assert_eq!(host.kv_swap("one".into(), 0, b"b".to_vec()).await, Err(Failure::Conflict));
    assert_eq!(host.kv_swap("one".into(), 1, b"b".to_vec()).await, Ok(2));

    let sums = futures_util::future::join_all((0..20).map(|_| host.kv_add("sum".into(), 2))).await;
    assert!(sums.iter().all(Result::is_ok), "{sums:?}");
    assert_eq!(host.kv_get("sum".into()).await.unwrap().unwrap().value, b"40");
    assert!(matches!(host.kv_add("one".into(), 1).await, Err(Failure::Invalid(_))));
    assert!(matches!(host.kv_add("sum".into(), i64::MAX).await, Err(Failure::Invalid(_))));

    assert_eq!(host.kv_list(String::new(), None, 10).await.unwrap(), ["big", "one", "sum"]);
    assert_eq!(host.kv_list(String::new(), Some("big".into()), 1).await.unwrap(), ["one"]);
    assert_eq!(host.kv_list("s".into(), None, 10).await.unwrap(), ["sum"]);
    assert_eq!(
        (host.kv_delete("one".into()).await, host.kv_delete("one".into()).await),
        (Ok(true), Ok(false))
    );

    assert_eq!(host.kv_set("brief".into(), b"x".to_vec(), Some(0)).await, Ok(1));
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert_eq!(host.kv_get("brief".into()).await, Ok(None));
    assert_eq!(host.kv_add("brief".into(), 3).await, Ok(3));
}
