//! How often one may try: guessing, registering, asking for links, renewing. What one server counts the others count too.

use std::cell::Cell;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{Reply, User, assert_problem, password_of};
use crate::harness::{World, both, limited, wait_until};

const REGISTER: &str = "/api/v1/auth/register";
const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";
const FORGOT: &str = "/api/v1/auth/password/forgot";
const RESET: &str = "/api/v1/auth/password/reset";
/// Tries that answer the same question for one kind of account.
const ROUNDS: usize = 40;

/// Somebody who tries every server in turn, and says each time that they come from somewhere else.
struct Prowler {
    doors: Vec<User>,
    knocks: Cell<usize>,
}

impl Prowler {
    fn around(world: &World) -> Self {
        let doors = world.nodes.iter().map(|node| User::visitor(&node.address)).collect();
        Self { doors, knocks: Cell::new(0) }
    }

    async fn knock(&self, path: &str, form: &Value) -> Reply {
        self.knock_from(&format!("198.51.100.{}", self.knocks.get() % 250), path, form).await
    }

    async fn knock_from(&self, address: &str, path: &str, form: &Value) -> Reply {
        self.knocks.set(self.knocks.get() + 1);
        let door = &self.doors[self.knocks.get() % self.doors.len()];
        let request = door.request(Method::POST, path).json(form).header("x-forwarded-for", address);
        door.fetch(request.header("x-real-ip", address).header("forwarded", format!("for={address}"))).await
    }

    async fn expect(&self, path: &str, form: &Value, status: u16) {
        let reply = self.knock(path, form).await;
        assert_eq!(reply.status, status, "{path} {form}: {}", reply.text);
    }

    /// Knocks until it is too often, after `already` other knocks that count.
    async fn until_limited(&self, path: &str, form: impl Fn(usize) -> Value, already: usize, limit: Limit) {
        for number in 0..=limit.count * 2 {
            let reply = self.knock(path, &form(number)).await;
            if reply.status == 429 {
                is_limited(&reply, limit.interval);
                return limit.holds(already + number);
            }
        }
        panic!("{path} was never too often");
    }
}

/// So many at once; each comes back after the interval. The clock began with the first.
#[derive(Clone, Copy)]
struct Limit {
    count: usize,
    interval: Duration,
    since: Instant,
}

impl Limit {
    fn new(count: usize, interval_seconds: u64) -> Self {
        Self { count, interval: Duration::from_secs(interval_seconds), since: Instant::now() }
    }

    /// A slow machine gives places back while it is being tested.
    fn holds(&self, accepted: usize) {
        let back = self.since.elapsed().as_millis() / self.interval.as_millis() + 1;
        let most = self.count + back as usize;
        assert!((self.count..=most).contains(&accepted), "{accepted} passed, not {} to {most}", self.count);
    }
}

fn login(name: &str, password: &str) -> Value {
    json!({ "username": name, "password": password })
}

fn registration(name: &str) -> Value {
    json!({ "username": name, "email": format!("{name}@example.org"), "password": password_of("anybody") })
}

/// Too often, and when to come back: after the interval at the latest.
fn is_limited(reply: &Reply, interval: Duration) {
    assert_eq!(reply.status, 429, "{}", reply.text);
    assert_problem(reply);
    assert_eq!(reply.body()["code"], "rate_limited");
    let wait: u64 =
        reply.header("retry-after").parse().unwrap_or_else(|_| panic!("no Retry-After: {:?}", reply.headers));
    assert!((1..=interval.as_secs() + 1).contains(&wait), "come back after {wait} s");
}

limited! {
    async fn guesses_are_counted_by_all_servers_together(world) with [("CONFAB_RATE_LIMITS", "on")] {
        let minute = Duration::from_mins(1);
        for name in ["ada", "bob"] {
            world.user(name).await;
        }
        let prowler = Prowler::around(world);
        let of_address = Limit::new(20, 15);
        for spelling in ["ada", "ADA", " ada ", "\u{FF41}da", "Ada"] {
            prowler.expect(LOGIN, &login(spelling, "a guess"), 401).await;
        }
        is_limited(&prowler.knock(LOGIN, &login("ada", "a guess")).await, minute);
        // Not even the right one: an answer would say that it was.
        is_limited(&prowler.knock(LOGIN, &login("ada", &password_of("ada"))).await, minute);

        for _ in 0..4 {
            prowler.expect(LOGIN, &login("bob", "a guess"), 401).await;
        }
        prowler.expect(LOGIN, &login("bob", &password_of("bob")), 200).await;
        for _ in 0..5 {
            prowler.expect(LOGIN, &login("bob", "a guess"), 401).await;
        }
        is_limited(&prowler.knock(LOGIN, &login("bob", "a guess")).await, minute);

        // Fifteen so far. Names that do not exist count as those that do.
        let form = |number: usize| login(&format!("nobody{number}"), "a guess");
        prowler.until_limited(LOGIN, form, 15, of_address).await;
        is_limited(&prowler.knock(LOGIN, &login("ada@example.org", &password_of("ada"))).await, minute);
    }
}

limited! {
    async fn new_accounts_are_counted(world) with [("CONFAB_RATE_LIMITS", "on")] {
        let prowler = Prowler::around(world);
        for number in 0..5 {
            prowler.expect(REGISTER, &registration(&format!("member{number}")), 201).await;
        }
        is_limited(&prowler.knock(REGISTER, &registration("member6")).await, Duration::from_mins(12));
        prowler.expect(LOGIN, &login("member6", &password_of("anybody")), 401).await;
    }
}

limited! {
    async fn forgotten_passwords_are_counted(world) with [("CONFAB_RATE_LIMITS", "on")] {
        world.user("ada").await;
        let prowler = Prowler::around(world);
        let of_address = Limit::new(20, 180);
        let ask = |name: &str| json!({ "username": name });
        // Alike for whoever is there and whoever is not.
        for names in [["ada", "Ada", " ada", "ADA", "\u{FF41}da"], ["nobody", "Nobody", " nobody", "NOBODY", "nobod\u{FF59}"]] {
            for name in names {
                prowler.expect(FORGOT, &ask(name), 202).await;
            }
            is_limited(&prowler.knock(FORGOT, &ask(names[0])).await, Duration::from_mins(12));
        }
        let reset = |number: usize| json!({ "token": format!("a guess {number}"), "password": "a quite different secret" });
        prowler.until_limited(RESET, reset, 10, of_address).await;
        is_limited(&prowler.knock(FORGOT, &ask("somebody")).await, of_address.interval);
    }
}

limited! {
    async fn renewals_are_counted(world) with [("CONFAB_RATE_LIMITS", "on")] {
        let ada = world.user("ada").await;
        let prowler = Prowler::around(world);
        let form = |_| json!({ "refresh_token": "a guess" });
        prowler.until_limited(REFRESH, form, 0, Limit::new(60, 1)).await;
        // Who is told to come back later has not used their token up.
        let own = json!({ "refresh_token": ada.refresh_token });
        wait_until("ada to get her turn", async || {
            let reply = prowler.knock(REFRESH, &own).await;
            assert!([200, 429].contains(&reply.status), "{} {}", reply.status, reply.text);
            reply.status == 200
        })
        .await;
    }
}

limited! {
    /// A proxy adds on the right whom it saw; what stands left of that is what its visitor wrote.
    async fn behind_a_proxy_the_visitors_are_counted(world)
    with [("CONFAB_RATE_LIMITS", "on"), ("CONFAB_TRUSTED_PROXIES", "127.0.0.1")] {
        world.user("ada").await;
        let prowler = Prowler::around(world);
        let guess = login("ada", "a guess");
        let of_account = Limit::new(100, 3);
        for number in 0..5 {
            let seen = format!("203.0.113.{number}, 192.0.2.1");
            assert_eq!(prowler.knock_from(&seen, LOGIN, &guess).await.status, 401);
        }
        let refused = prowler.knock_from("203.0.113.9, 192.0.2.1", LOGIN, &guess).await;
        is_limited(&refused, Duration::from_mins(1));
        // Nobody else is locked out, the account's owner least of all.
        let own = login("ada", &password_of("ada"));
        assert_eq!(prowler.knock_from("192.0.2.2", LOGIN, &own).await.status, 200);

        // One house of IPv6 has more addresses than there are guesses.
        for number in 1..=5 {
            assert_eq!(prowler.knock_from(&format!("2001:db8:1:2::{number}"), LOGIN, &guess).await.status, 401);
        }
        is_limited(&prowler.knock_from("2001:db8:1:2:ffff::1", LOGIN, &guess).await, Duration::from_mins(1));

        // Many houses together guess at one account: eleven of its hundred places are taken.
        let mut accepted = 11;
        for number in 0.. {
            let reply = prowler.knock_from(&format!("192.0.3.{}", number / 5), LOGIN, &guess).await;
            if reply.status != 401 {
                is_limited(&reply, of_account.interval);
                break;
            }
            accepted += 1;
        }
        of_account.holds(accepted);
    }
}

both! {
    /// Whether an account exists must show in nothing: not in the words, not in the headers, not in the time.
    async fn refusals_are_alike_in_all_and_in_time(world) {
        let (admin, gone) = (world.admin().await, world.user("gone").await);
        world.user("ada").await;
        admin.send(Method::PUT, &format!("/api/v1/auth/users/{}/disable", gone.id), None, 200).await;
        admin.send(Method::POST, "/api/v1/auth/users", Some(&json!({ "username": "robot", "is_bot": true })), 201).await;
        let visitor = world.visitor();
        let own = password_of("gone");
        let kinds = [("unknown", "nil", "a guess"), ("wrong password", "ada", "a guess"), ("disabled", "gone", &own), ("no password", "robot", "a guess")];
        let mut times = kinds.map(|_| Vec::with_capacity(ROUNDS));
        let mut shapes = Vec::new();
        for _ in 0..ROUNDS {
            for ((_, name, password), times) in kinds.iter().zip(&mut times) {
                let started = Instant::now();
                let reply = visitor.call(Method::POST, LOGIN, Some(&login(name, password))).await;
                times.push(started.elapsed());
                shapes.push(shape(&reply));
            }
        }
        assert!(shapes[0].starts_with("401 "), "{}", shapes[0]);
        for (number, shape) in shapes.iter().enumerate() {
            assert_eq!(shape, &shapes[0], "{}", kinds[number % kinds.len()].0);
        }
        let medians = times.map(|mut times| { times.sort(); times[ROUNDS / 2].as_secs_f64() });
        for ((name, ..), median) in kinds.iter().zip(medians) {
            let ratio = median / medians[0];
            println!("{name}: {:.1} ms, {ratio:.3} of unknown", median * 1_000.0);
            // An early return would be ten times faster; finer figures need a quieter machine.
            assert!((0.5..2.0).contains(&ratio), "{name} takes {ratio:.2} of the time of unknown");
        }
    }
}

/// Everything of an answer that is not of its moment.
fn shape(reply: &Reply) -> String {
    let mut body = reply.body();
    body["request_id"] = json!("");
    let mut headers: Vec<String> = reply
        .headers
        .iter()
        .map(|(name, value)| {
            if name == "date" || name == "x-request-id" {
                name.to_string()
            } else {
                format!("{name}: {value:?}")
            }
        })
        .collect();
    headers.sort();
    format!("{} {body} {headers:?}", reply.status)
}
