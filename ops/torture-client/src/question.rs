//! What somebody outside of a private room asks for, and how each of it must be answered.

use uuid::Uuid;

use crate::rooms::Room;

/// A question; the words in capitals stand for what it is about.
#[derive(Clone, Copy)]
pub struct Question {
    path: &'static str,
    /// A list of all that the asker may see: theirs to read, with nothing of the room in it. Everything else is shut.
    is_list: bool,
}

/// All of them.
pub const ALL: [Question; 14] = [
    door("channels/ROOM/messages?limit=20"),
    door("channels/ROOM/events?limit=20"),
    door("channels/ROOM"),
    door("channels/ROOM/members"),
    list("search/messages?q=SECRET&mode=keyword"),
    list("search/files?q=SECRET"),
    list("users/me/notifications?limit=50"),
    list("users/me/unread"),
    list("users/me/threads"),
    door("messages/MESSAGE"),
    door("messages/MESSAGE/thread"),
    door("files/FILE"),
    door("files/FILE/download"),
    list("channels?limit=100"),
];

const fn door(path: &'static str) -> Question {
    Question { path, is_list: false }
}

const fn list(path: &'static str) -> Question {
    Question { path, is_list: true }
}

impl Question {
    /// As it is written above.
    pub fn path(self) -> &'static str {
        self.path
    }

    /// The path that asks it. Where nothing is known to ask for it is nobody's.
    pub fn about(self, room: &Room, secret: &str, (file, message): (Option<Uuid>, Option<Uuid>)) -> String {
        let path = self.path.replace("ROOM", &room.id.to_string()).replace("SECRET", secret);
        let path = path.replace("FILE", &file.unwrap_or_default().to_string());
        path.replace("MESSAGE", &message.unwrap_or_default().to_string())
    }

    /// Whether a sound server answers somebody outside with this status. A question that is refused for its form, or fails, looks
    /// like a door that is shut and proves nothing.
    pub fn is_answered_by(self, status: u16) -> bool {
        if self.is_list { status == 200 } else { matches!(status, 403 | 404) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::turnstile::Turnstile;

    #[test]
    fn questions_name_what_they_are_about() {
        let wall = Arc::new(Turnstile::outside());
        let room = Room { id: Uuid::from_u128(5), name: "vault".into(), secret: None, wall };
        let (file, message) = (Uuid::from_u128(6), Uuid::from_u128(7));
        let paths: Vec<String> =
            ALL.iter().map(|it| it.about(&room, "xxbcd", (Some(file), Some(message)))).collect();
        assert!(
            paths.iter().all(|path| !path.chars().any(|letter| letter.is_ascii_uppercase())),
            "{paths:?}"
        );
        assert_eq!(paths[3], format!("channels/{}/members", room.id));
        assert_eq!(paths[12], format!("files/{file}/download"));
        assert!(ALL[12].is_answered_by(404) && !ALL[12].is_answered_by(200) && !ALL[12].is_answered_by(400));
        assert!(ALL[13].is_answered_by(200) && !ALL[13].is_answered_by(404));
    }
}
