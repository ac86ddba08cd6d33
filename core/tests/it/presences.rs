//! Servers that take others' devices over, and those that come back meanwhile.

use confab_core::presences::{self, Seen};
use confab_core::{Db, FutureExt};
use confab_protocol::UserId;
use confab_protocol::gateway::{Presence, PresenceStatus};
use uuid::Uuid;

use crate::harness::{user, world};

async fn note(db: &Db, node: Uuid, user: UserId, says: Vec<PresenceStatus>) -> (bool, Vec<Presence>) {
    let people = vec![(user, says)];
    db.write(move |tx| async move { presences::note(tx, node, people).await }.boxed()).await.expect("noted")
}

async fn renew(db: &Db, node: Uuid) -> bool {
    db.write(move |tx| async move { presences::renew(tx, node).await }.boxed()).await.expect("renewed")
}

async fn take_over(db: &Db, gone: Seen) -> Option<(Vec<Presence>, Seen)> {
    db.write(move |tx| async move { presences::take_over(tx, gone).await }.boxed()).await.expect("taken")
}

async fn seen(db: &Db, node: Uuid) -> Seen {
    let rows = presences::nodes(&mut db.read()).await.expect("rows");
    *rows.iter().find(|row| row.node == node).expect("its row")
}

async fn status(db: &Db, user: UserId) -> PresenceStatus {
    presences::status(&mut db.read(), user).await.expect("a status").status
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_taken_over_hears_of_it_whichever_comes_first() {
    use PresenceStatus::{Offline, Online};
    let (db, ada, _folder) = world().await;
    let (bob, node) = (user(&db, "bob").await, Uuid::from_u128(1));
    assert!(!note(&db, node, ada, vec![Online]).await.0, "a server that nobody knew");
    assert!(note(&db, node, bob, vec![Online]).await.0 && renew(&db, node).await);
    let before = seen(&db, node).await;
    assert!(renew(&db, node).await);
    assert_ne!(seen(&db, node).await, before, "each time another");
    assert!(take_over(&db, before).await.is_none(), "it was renewed since");
    assert_eq!(status(&db, ada).await, Online);

    // Taken over whole, then somebody comes: the others are to be noted, too.
    let (told, rest) = take_over(&db, seen(&db, node).await).await.expect("devices");
    assert!(told.len() == 2 && take_over(&db, rest).await.is_none(), "{told:?}");
    assert_eq!((status(&db, ada).await, status(&db, bob).await), (Offline, Offline));
    assert!(!note(&db, node, ada, vec![Online]).await.0, "the first to say so");
    assert_eq!((status(&db, ada).await, status(&db, bob).await), (Online, Offline));
    assert!(note(&db, node, bob, vec![Online]).await.0);

    // In the middle of it: nothing more is taken from whoever came back.
    let (told, rest) = take_over(&db, seen(&db, node).await).await.expect("devices");
    assert_eq!(told.len(), 2);
    assert!(!renew(&db, node).await, "all of its devices are to be noted again");
    assert!(note(&db, node, bob, vec![Online]).await.0);
    assert!(take_over(&db, rest).await.is_none());
    assert_eq!(status(&db, bob).await, Online);

    // Who goes by itself is not waited for, and not taken for alive by what it noted last.
    db.write(move |tx| async move { presences::retire(tx, node).await }.boxed()).await.expect("retired");
    let row = seen(&db, node).await;
    assert!(row.is_retired());
    assert_eq!(take_over(&db, row).await.expect("a device").0.len(), 1);
}
