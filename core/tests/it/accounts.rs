//! Bounds of accounts that would take a black-box story hundreds of calls: sessions, limits, lifetimes.

use std::time::Duration;

use confab_core::rate_limits::{self, Quota};
use confab_core::sessions::{self, Device, Method};
use confab_core::{Db, Fault, FutureExt};
use confab_protocol::Timestamp;

use crate::harness::world;

async fn take(db: &Db, quota: Quota) -> Result<(), Fault> {
    db.write(move |tx| async move { rate_limits::take(tx, "key", quota).await }.boxed()).await
}

#[tokio::test]
async fn a_quota_may_be_used_at_once_and_then_waits() {
    let (db, ..) = world().await;
    let quota = Quota { count: 5, per: Duration::from_mins(5) };
    for _ in 0..5 {
        take(&db, quota).await.expect("in time");
    }
    let Err(Fault::RateLimited { retry_after_seconds }) = take(&db, quota).await else {
        panic!("the sixth is too many");
    };
    assert!(
        (30..=61).contains(&retry_after_seconds),
        "{retry_after_seconds} s for one of five in five minutes"
    );
    db.write(move |tx| async move { rate_limits::give_back(tx, "key", quota).await }.boxed())
        .await
        .expect("given back");
    take(&db, quota).await.expect("the place that was given back");
    assert!(take(&db, quota).await.is_err());
    db.write(|tx| rate_limits::forget(tx, "key").boxed()).await.expect("forgotten");
    take(&db, quota).await.expect("a fresh start");
}

/// Servers' clocks are never quite the same: one that is behind finds a quota that is used up a little further ahead than
/// it could have counted itself.
#[tokio::test]
async fn a_clock_that_is_a_little_behind_is_no_new_quota() {
    let (db, ..) = world().await;
    let quota = Quota { count: 5, per: Duration::from_mins(5) };
    // As much as one who is ten seconds ahead leaves when all of it is used up.
    take(&db, Quota { count: 1, per: Duration::from_mins(5) + Duration::from_secs(10) })
        .await
        .expect("in time");
    let Err(Fault::RateLimited { retry_after_seconds }) = take(&db, quota).await else {
        panic!("it is used up");
    };
    assert!((60..=71).contains(&retry_after_seconds), "{retry_after_seconds}");
}

#[tokio::test]
async fn what_a_wrong_clock_counted_shuts_nobody_out() {
    let (db, ..) = world().await;
    // As if by a clock that was a day ahead: no quota of five in five minutes counts so far.
    take(&db, Quota { count: 1, per: Duration::from_hours(24) }).await.expect("in time");
    let quota = Quota { count: 5, per: Duration::from_mins(5) };
    for _ in 0..5 {
        take(&db, quota).await.expect("in time");
    }
    assert!(take(&db, quota).await.is_err());
}

#[tokio::test]
async fn the_fifty_first_device_ends_the_one_used_least() {
    let (db, ada, _folder) = world().await;
    let mut started = Vec::new();
    for _ in 0..51 {
        let begun = db
            .write(move |tx| {
                async move { sessions::start(tx, ada, Device::default(), Method::Password).await }.boxed()
            })
            .await
            .expect("a session");
        started.push(begun.session_id);
        // The order of use is by milliseconds.
        let until = Timestamp::now().plus(Duration::from_millis(1));
        while Timestamp::now() <= until {
            tokio::task::yield_now().await;
        }
    }
    let live = sessions::list(&mut db.read(), ada).await.expect("a list");
    assert_eq!(live.len(), 50);
    assert!(sessions::live(&mut db.read(), started[0]).await.is_err(), "the first one is still there");
    assert!(sessions::live(&mut db.read(), started[50]).await.is_ok());
}

#[tokio::test]
async fn a_session_slides_for_seven_days_and_ends_after_thirty() {
    let (db, ada, _folder) = world().await;
    let begun = db
        .write(move |tx| {
            async move { sessions::start(tx, ada, Device::default(), Method::Password).await }.boxed()
        })
        .await
        .expect("a session");
    let days = |live: Timestamp| (live.0 - Timestamp::now().0) as f64 / 86_400_000.0;
    let live = sessions::live(&mut db.read(), begun.session_id).await.expect("live");
    assert!((6.99..=7.0).contains(&days(live.expires_at)), "{}", days(live.expires_at));
    assert_eq!(sessions::ABSOLUTE, Duration::from_hours(30 * 24));
    let token = begun.refresh_token.clone();
    let again = db
        .write(move |tx| async move { sessions::refresh(tx, &token, None, false).await }.boxed())
        .await
        .expect("an answer");
    assert!(matches!(again, sessions::Refreshed::Done(_)));
    let token = begun.refresh_token;
    let twice = db
        .write(move |tx| async move { sessions::refresh(tx, &token, None, false).await }.boxed())
        .await
        .expect("an answer");
    assert!(matches!(twice, sessions::Refreshed::Reused));
    assert!(sessions::live(&mut db.read(), begun.session_id).await.is_err());
}
