//! Version 0.2: more of `chat`, and timers, calls out, search and the assistant.

super::common!(crate::bindings::v0_2, {
    async fn direct_message(&mut self, to: String, body: types::Draft) -> Answered<String> {
        let draft = Draft::from(body);
        told(self.ask(to.len() + draft.bytes(), |host| host.direct_message(to, draft)).await)
    }

    async fn whisper(&mut self, place: types::Place, to: String, body: types::Draft) -> Answered<()> {
        let draft = Draft::from(body);
        told(self.ask(to.len() + draft.bytes(), |host| host.whisper(place.into(), to, draft)).await)
    }

    async fn create_channel(
        &mut self,
        name: String,
        topic: String,
        private: bool,
        members: Vec<String>,
    ) -> Answered<String> {
        let bytes = name.len() + topic.len() + members.iter().map(String::len).sum::<usize>();
        let channel = NewChannel { name, topic, is_private: private, member_ids: members };
        told(self.ask(bytes, |host| host.create_channel(channel)).await)
    }

    async fn find_user(&mut self, username: String) -> Answered<types::User> {
        told(self.ask(username.len(), |host| host.find_user(username)).await)
    }

    async fn members(&mut self, channel: String, limit: u32) -> Answered<Vec<chat::Member>> {
        let answer = self.ask(channel.len(), |host| host.members(channel, limit)).await?;
        Ok(answer.map(|members| members.into_iter().map(Into::into).collect()).map_err(Into::into))
    }

    async fn find_channel(&mut self, name: String) -> Answered<String> {
        told(self.ask(name.len(), |host| host.find_channel(name)).await)
    }
});

use crate::words::{HttpRequest, NewChannel, Timer};
use bindings::confab::plugin::{assistant, http, schedule, search};

impl schedule::Host for Call {
    async fn once(&mut self, name: String, at: u64, payload: Vec<u8>) -> Answered<()> {
        let timer = Timer { name, at_ms: at, period_seconds: None, payload };
        told(self.ask(timer.name.len() + timer.payload.len(), |host| host.set_timer(timer)).await)
    }

    async fn every(
        &mut self,
        name: String,
        from: u64,
        period_seconds: u32,
        payload: Vec<u8>,
    ) -> Answered<()> {
        let timer = Timer { name, at_ms: from, period_seconds: Some(period_seconds), payload };
        told(self.ask(timer.name.len() + timer.payload.len(), |host| host.set_timer(timer)).await)
    }

    async fn cancel(&mut self, name: String) -> Answered<bool> {
        told(self.ask(name.len(), |host| host.cancel_timer(name)).await)
    }
}

impl http::Host for Call {
    async fn fetch(&mut self, request: http::Request) -> Answered<http::Response> {
        let request = HttpRequest::from(request);
        let headers: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let bytes = request.url.len() + headers + request.body.len();
        told(self.ask(bytes, |host| host.fetch(request)).await)
    }
}

impl search::Host for Call {
    async fn find(&mut self, query: String, limit: u32) -> Answered<Vec<types::Message>> {
        let answer = self.ask(query.len(), |host| host.search(query, limit)).await?;
        Ok(answer.map(|messages| messages.into_iter().map(Into::into).collect()).map_err(Into::into))
    }
}

impl assistant::Host for Call {
    async fn summarize(&mut self, place: types::Place) -> Answered<String> {
        told(self.ask(place.channel.len(), |host| host.summarize(place.into())).await)
    }
}
