//! The second factor: set up, asked for, lost, and asked of everyone.

use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use crate::harness::user::{User, password_of};
use crate::harness::{both, wait_until};

const AT: &str = "/api/v1/auth/two-factor";
const LOGIN: &str = "/api/v1/auth/login";

/// The device of a person.
fn device(secret: &str) -> Totp {
    Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap()
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

async fn begin(user: &User) -> Totp {
    let form = json!({ "password": password_of(&user.name) });
    let begun = user.send(Method::POST, &format!("{AT}/start"), Some(&form), 200).await;
    assert!(begun["otpauth_url"].as_str().unwrap().starts_with("otpauth://totp/"), "{begun}");
    assert!(begun["qr_svg"].as_str().unwrap().contains("<svg"), "{begun}");
    device(begun["secret"].as_str().unwrap())
}

/// The code of the step before. The server takes it until this step ends, so one that ends soon is let pass.
fn code_before(device: &Totp) -> String {
    while now() % 30 > 20 {
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    device.generate(now() - 30).to_string()
}

/// Sets it up with the code of the step before, so that the present one is still good. Answers the recovery codes.
pub async fn set_up(user: &User) -> (Totp, Vec<String>) {
    let device = begin(user).await;
    let code = code_before(&device);
    let done = user.send(Method::POST, &format!("{AT}/confirm"), Some(&json!({ "code": code })), 200).await;
    let codes = done["recovery_codes"].as_array().unwrap();
    (device, codes.iter().map(|it| it.as_str().unwrap().to_owned()).collect())
}

fn form(name: &str, code: Option<&str>) -> Value {
    let mut form = json!({ "username": name, "password": password_of(name) });
    if let Some(code) = code {
        form["code"] = json!(code);
    }
    form
}

both! {
    async fn a_code_is_asked_for_and_good_once(world) {
        let ada = world.user("ada").await;
        let visitor = world.visitor();
        let wrong = json!({ "password": "not hers" });
        ada.send(Method::POST, &format!("{AT}/start"), Some(&wrong), 400).await;
        let device = begin(&ada).await;
        // Not yet confirmed, it locks nobody out.
        visitor.send(Method::POST, LOGIN, Some(&form("ada", None)), 200).await;
        ada.send(Method::POST, &format!("{AT}/confirm"), Some(&json!({ "code": "000000" })), 400).await;
        let first = code_before(&device);
        let done = ada.send(Method::POST, &format!("{AT}/confirm"), Some(&json!({ "code": first })), 200).await;
        assert_eq!(done["recovery_codes"].as_array().unwrap().len(), 10);
        assert_eq!(ada.get("/api/v1/auth/me", 200).await["two_factor_enabled"], true);

        let asked = visitor.send(Method::POST, LOGIN, Some(&form("ada", None)), 401).await;
        assert_eq!(asked["code"], "two_factor_required");
        let wrong = json!({ "username": "ada", "password": "not hers", "code": "123456" });
        assert_eq!(visitor.send(Method::POST, LOGIN, Some(&wrong), 401).await["code"], "wrong_credentials");
        for bad in ["000000", "12345", "abcdef", &first] {
            let refused = visitor.send(Method::POST, LOGIN, Some(&form("ada", Some(bad))), 401).await;
            assert_eq!(refused["code"], "wrong_code", "{bad}");
        }
        let code = device.generate(now()).to_string();
        visitor.send(Method::POST, LOGIN, Some(&form("ada", Some(&code))), 200).await;
        let again = visitor.send(Method::POST, LOGIN, Some(&form("ada", Some(&code))), 401).await;
        assert_eq!(again["code"], "wrong_code", "a code that was read over a shoulder");
    }

    async fn a_lost_device_is_not_a_lost_account(world) {
        let ada = world.user("ada").await;
        let (_, codes) = set_up(&ada).await;
        let visitor = world.visitor();
        // In capitals and without its dash, as it may be typed.
        let typed = codes[0].to_uppercase().replace('-', "");
        visitor.send(Method::POST, LOGIN, Some(&form("ada", Some(&typed))), 200).await;
        visitor.send(Method::POST, LOGIN, Some(&form("ada", Some(&codes[0]))), 401).await;
        assert_eq!(ada.get(AT, 200).await["recovery_codes_left"], 9);

        let proof = |code: &str| json!({ "password": password_of("ada"), "code": code });
        let renewed = ada.send(Method::POST, &format!("{AT}/recovery-codes"), Some(&proof(&codes[1])), 200).await;
        visitor.send(Method::POST, LOGIN, Some(&form("ada", Some(&codes[2]))), 401).await;
        ada.send(Method::POST, &format!("{AT}/disable"), Some(&proof("000000")), 400).await;
        let fresh = renewed["recovery_codes"][0].as_str().unwrap();
        ada.send(Method::POST, &format!("{AT}/disable"), Some(&proof(fresh)), 204).await;
        visitor.send(Method::POST, LOGIN, Some(&form("ada", None)), 200).await;

        // Without any code left an administrator helps.
        set_up(&ada).await;
        let path = format!("/api/v1/auth/users/{}/two-factor", ada.id);
        ada.send(Method::DELETE, &path, None, 403).await;
        world.admin().await.send(Method::DELETE, &path, None, 204).await;
        visitor.send(Method::POST, LOGIN, Some(&form("ada", None)), 200).await;
    }

    async fn it_can_be_asked_of_everyone(world) {
        let ada = world.user("ada").await;
        let admin = world.admin().await;
        let policy = json!({ "require_two_factor": true });
        ada.send(Method::PUT, "/api/v1/admin/policy", Some(&policy), 403).await;
        admin.send(Method::PUT, "/api/v1/admin/policy", Some(&policy), 200).await;
        wait_until("ada to be asked for a second factor", async || {
            let reply = ada.call(Method::GET, "/api/v1/channels", None).await;
            reply.status == 403 && reply.body()["code"] == "two_factor_setup_required"
        })
        .await;
        // Only what leads out of it is open.
        assert_eq!(ada.get("/api/v1/auth/me", 200).await["two_factor_required"], true);
        let (_, codes) = set_up(&ada).await;
        wait_until("ada to be let in", async || ada.call(Method::GET, "/api/v1/channels", None).await.status == 200).await;
        let proof = json!({ "password": password_of("ada"), "code": codes[0] });
        let kept = ada.send(Method::POST, &format!("{AT}/disable"), Some(&proof), 409).await;
        assert_eq!(kept["code"], "two_factor_required_by_policy");
    }
}
