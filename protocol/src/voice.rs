//! Talking aloud: who is in a voice channel, and the frames of its sockets, JSON text `{"op": …, "d": …}` like the
//! gateway's.
//!
//! Browsers speak to each other directly (WebRTC); the server passes on what they need to find each other, and says who
//! says it.

use serde::{Deserialize, Serialize};

use crate::gateway::{FrameError, Heartbeat, Identify, Reauth, Reconnect};
use crate::{ChannelId, ParticipantId, SessionId, Timestamp, UserId};

/// Somebody who is in a voice channel now. Whoever leaves and comes again is another participant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
#[allow(clippy::struct_excessive_bools)] // each is something that others see of them
pub struct VoiceParticipant {
    /// Names this stay; what is meant for them is addressed to it.
    pub participant_id: ParticipantId,
    /// Who.
    pub user_id: UserId,
    /// Sends no sound.
    pub muted: bool,
    /// Hears nothing.
    pub deafened: bool,
    /// Speaks at the moment.
    pub speaking: bool,
    /// Shows their screen.
    pub sharing: bool,
    /// Since when.
    pub joined_at: Timestamp,
}

/// Who is in a voice channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct VoiceRoom {
    /// Which channel.
    pub channel_id: ChannelId,
    /// In the order in which they came.
    pub participants: Vec<VoiceParticipant>,
    /// How many find room.
    pub participants_limit: u32,
}

/// What a client may say.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "op", content = "d", rename_all = "snake_case")]
pub enum VoiceClientFrame {
    /// The first frame: who I am.
    Identify(Identify),
    /// I am alive.
    Heartbeat(Option<Heartbeat>),
    /// A fresh access token for the same user.
    Reauth(Reauth),
    /// Let me in.
    Join(Option<Join>),
    /// I go; again is no fault.
    Leave(Option<Nothing>),
    /// What I could send and receive, for one of the others.
    Offer(Description),
    /// What of theirs I take.
    Answer(Description),
    /// Where I can be reached, for one of the others.
    Candidate(Candidates),
    /// I send sound, or not.
    Mute(Mute),
    /// I hear, or not.
    Deafen(Deafen),
    /// I began or ceased to speak.
    Speaking(Speaking),
    /// I show my screen, or not any more.
    Share(Share),
}

/// A frame that needs no more than its name.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Nothing {}

/// See [`VoiceClientFrame::Join`].
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Join {
    /// Sends no sound at first.
    #[serde(default)]
    pub muted: bool,
    /// Hears nothing at first.
    #[serde(default)]
    pub deafened: bool,
}

/// A session description as the browser made it. Whatever a client says of the sender is overwritten.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Description {
    /// For whom.
    pub to: ParticipantId,
    /// SDP.
    pub sdp: String,
}

/// Addresses of the sender, as the browser found them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Candidates {
    /// For whom.
    pub to: ParticipantId,
    /// Several at once spare frames.
    pub candidates: Vec<Candidate>,
}

/// One address, as `RTCIceCandidate.toJSON()` says it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The line of SDP.
    pub candidate: String,
    /// Of which part of the description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The same by number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
    /// Of which round of looking for addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

/// See [`VoiceClientFrame::Mute`].
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Mute {
    /// The new state.
    pub muted: bool,
}

/// See [`VoiceClientFrame::Deafen`].
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Deafen {
    /// The new state.
    pub deafened: bool,
}

/// See [`VoiceClientFrame::Speaking`].
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Speaking {
    /// The new state.
    pub speaking: bool,
}

/// See [`VoiceClientFrame::Share`].
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Share {
    /// The new state.
    pub sharing: bool,
}

/// What the server says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "op", content = "d", rename_all = "snake_case")]
pub enum VoiceServerFrame {
    /// The first frame.
    Hello(VoiceHello),
    /// You may join.
    Ready(VoiceReady),
    /// You are in.
    Joined(Joined),
    /// You are out.
    Left(Nothing),
    /// Another one came.
    ParticipantJoined(VoiceParticipant),
    /// Another one's state, or your own.
    ParticipantUpdated(VoiceParticipant),
    /// Another one went.
    ParticipantLeft(ParticipantLeft),
    /// For you, from one of the others.
    Offer(Described),
    /// For you, from one of the others.
    Answer(Described),
    /// For you, from one of the others.
    Candidate(Reachable),
    /// A frame was refused; the connection stays, unless a close follows.
    Error(FrameError),
    /// Heard you.
    HeartbeatAck,
    /// This server is going away: come back after a while.
    Reconnect(Reconnect),
}

/// See [`VoiceServerFrame::Hello`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VoiceHello {
    /// Send a heartbeat this often, in milliseconds.
    pub heartbeat_ms: u64,
}

/// See [`VoiceServerFrame::Ready`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VoiceReady {
    /// This connection's session.
    pub session_id: SessionId,
    /// Where it leads.
    pub channel_id: ChannelId,
}

/// See [`VoiceServerFrame::Joined`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Joined {
    /// You.
    pub participant_id: ParticipantId,
    /// Everybody, you too, in the order in which they came. Whoever comes offers to those who are there.
    pub participants: Vec<VoiceParticipant>,
    /// For the `RTCPeerConnection`.
    pub ice_servers: Vec<IceServer>,
}

/// A helper for browsers that do not reach each other by themselves, as `RTCIceServer` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:` and `turn:` addresses.
    pub urls: Vec<String>,
    /// When this ends, and for whom it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What proves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// See [`VoiceServerFrame::ParticipantLeft`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ParticipantLeft {
    /// Which stay ended.
    pub participant_id: ParticipantId,
    /// Whose.
    pub user_id: UserId,
}

/// A session description and who sent it, as the server knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Described {
    /// Who.
    pub from: ParticipantId,
    /// SDP.
    pub sdp: String,
}

/// Addresses and whose they are, as the server knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reachable {
    /// Who.
    pub from: ParticipantId,
    /// As they were sent.
    pub candidates: Vec<Candidate>,
}

#[cfg(test)]
mod tests {
    use super::{Candidate, VoiceClientFrame};

    #[test]
    fn frames_without_content_may_leave_it_out_and_others_may_not() {
        for text in [r#"{"op":"leave"}"#, r#"{"op":"leave","d":{}}"#, r#"{"op":"join","d":{"muted":true}}"#] {
            assert!(serde_json::from_str::<VoiceClientFrame>(text).is_ok(), "{text}");
        }
        for text in [r#"{"op":"offer"}"#, r#"{"op":"mute","d":{}}"#, r#"{"op":"shout"}"#] {
            assert!(serde_json::from_str::<VoiceClientFrame>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn candidates_are_what_browsers_say() {
        let said = r#"{"candidate":"candidate:1 1 udp 1 10.0.0.1 9 typ host","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"a"}"#;
        let candidate: Candidate = serde_json::from_str(said).expect("a browser's candidate");
        assert_eq!(serde_json::to_string(&candidate).expect("text"), said);
    }
}
