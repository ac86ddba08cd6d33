//! Mail, where an operator set a server for it. It carries links that a person asked for, and what is unread to those who
//! wish it.

use std::time::Duration;

use confab_core::config::Mail;
use confab_core::{Fault, Result};
use lettre::message::Mailbox;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::sync::Semaphore;

/// A mail server that takes longer is not waited for.
const WITHIN: Duration = Duration::from_secs(20);
/// Mails under way at once; more than that are not sent, since nobody asks for so many.
const UNDER_WAY: usize = 8;

/// Sends mail.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    places: Semaphore,
}

impl Mailer {
    /// Reads the settings; connects when there is something to send.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `smtp_url` or `mail_from`.
    pub fn new(settings: &Mail) -> Result<Self> {
        let from =
            settings.from.parse().map_err(|_| Fault::invalid("mail_from", "is no sender's address"))?;
        // The text of the error could repeat the address, which may hold a password.
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.smtp_url.0)
            .map_err(|_| Fault::invalid("smtp_url", "is no address such as smtps://USER:PASSWORD@HOST"))?
            .timeout(Some(WITHIN))
            .build();
        Ok(Self { transport, from, places: Semaphore::new(UNDER_WAY) })
    }

    /// Sends a text to one address.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `email` for an address that no mail can go to; [`Fault::Busy`]; [`Fault::Unavailable`].
    pub async fn send(&self, to: &str, subject: &str, text: String) -> Result<()> {
        let address: Address = to.parse().map_err(|_| Fault::invalid("email", "is no e-mail address"))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(subject)
            .body(text)
            .map_err(Fault::internal)?;
        let _place = self.places.try_acquire().map_err(|_| Fault::Busy)?;
        self.transport.send(message).await.map_err(|error| {
            tracing::warn!(%error, "the mail server did not take a mail");
            Fault::Unavailable("the mail server")
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use confab_core::config::Secret;

    use super::*;

    #[test]
    fn settings_are_read_or_refused_without_repeating_the_password() {
        let read = |url: &str, from: &str| {
            Mailer::new(&Mail { smtp_url: Secret(url.into()), from: from.into() }).map(drop)
        };
        assert!(read("smtps://ada:hunter2@mail.example.org", "Confab <confab@example.org>").is_ok());
        assert!(read("smtp://127.0.0.1:2525", "confab@example.org").is_ok());
        let fault = read("smtp://ada:hunter2@[", "confab@example.org").expect_err("no address").to_string();
        assert!(!fault.contains("hunter2"), "{fault}");
        assert!(read("smtp://127.0.0.1:2525", "nobody").is_err());
    }
}
