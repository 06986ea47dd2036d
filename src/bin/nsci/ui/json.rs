//! Progress for programs: one JSON object per line, `type` says what it is, `at` is seconds since the start.

use std::time::Duration;

use nsci::event::{Event, Outcome, Stream};
use serde_json::{Map, Value, json};

use super::tally::Tally;
use super::{Detail, Renderer};

/// The renderer.
pub(super) struct Json {
    detail: Detail,
    tally: Tally,
}

impl Json {
    pub(super) fn new(detail: Detail) -> Self {
        Self {
            detail,
            tally: Tally::default(),
        }
    }
}

fn put(at: Duration, kind: &str, fields: Value, out: &mut String) {
    let mut object = Map::new();
    let at = (at.as_secs_f64() * 1000.0).round() / 1000.0;
    object.insert("type".into(), kind.into());
    object.insert("at".into(), at.into());
    if let Value::Object(fields) = fields {
        object.extend(fields);
    }
    out.push_str(&Value::Object(object).to_string());
    out.push('\n');
}

fn ended(mut fields: Value, duration: Duration, outcome: &Outcome) -> Value {
    let (result, message) = match outcome {
        Outcome::Done => ("done", None),
        Outcome::Failed { message } => ("failed", Some(message)),
        Outcome::Cancelled => ("cancelled", None),
    };
    fields["seconds"] = ((duration.as_secs_f64() * 1000.0).round() / 1000.0).into();
    fields["result"] = result.into();
    if let Some(message) = message {
        fields["message"] = message.as_str().into();
    }
    fields
}

impl Renderer for Json {
    fn event(&mut self, at: Duration, event: &Event, out: &mut String) {
        // The end of a step that is not counted is the last that is known of it.
        let hidden = |id| self.tally.is_hidden(id);
        let skip = match event {
            Event::StepStarted { internal, .. } => *internal && !self.detail.internal,
            Event::StepFinished { id, .. } => hidden(*id),
            Event::Log { id, .. } => hidden(*id) || !self.detail.logs,
            _ => false,
        };
        self.tally.event(event, self.detail.internal);
        if skip {
            return;
        }
        match event {
            Event::StepStarted {
                id,
                parent,
                name,
                internal,
            } => {
                let parent = parent.map(|parent| parent.0);
                let fields =
                    json!({"id": id.0, "parent": parent, "name": &**name, "internal": internal});
                put(at, "step-started", fields, out);
            }
            Event::StepFinished {
                id,
                cached,
                duration,
                outcome,
            } => {
                let fields = json!({"id": id.0, "cached": cached});
                put(at, "step-finished", ended(fields, *duration, outcome), out);
            }
            Event::Log { id, stream, bytes } => {
                let stream = match stream {
                    Stream::Stdout => "stdout",
                    Stream::Stderr => "stderr",
                };
                let text = String::from_utf8_lossy(bytes);
                put(
                    at,
                    "log",
                    json!({"id": id.0, "stream": stream, "text": text}),
                    out,
                );
            }
            Event::PullStarted {
                image,
                layers,
                bytes,
            } => {
                let fields = json!({"image": &**image, "layers": layers, "bytes": bytes});
                put(at, "pull-started", fields, out);
            }
            Event::PullProgress {
                image,
                layer,
                bytes,
                total,
            } => {
                let fields =
                    json!({"image": &**image, "layer": &**layer, "bytes": bytes, "total": total});
                put(at, "pull-progress", fields, out);
            }
            Event::PullDone {
                image,
                fetched,
                duration,
                outcome,
            } => {
                let fields = json!({"image": &**image, "fetched": fetched});
                put(at, "pull-finished", ended(fields, *duration, outcome), out);
            }
            Event::PushStarted {
                image,
                layers,
                bytes,
            } => {
                let fields = json!({"image": &**image, "layers": layers, "bytes": bytes});
                put(at, "push-started", fields, out);
            }
            Event::PushProgress {
                image,
                layer,
                bytes,
                total,
            } => {
                let fields =
                    json!({"image": &**image, "layer": &**layer, "bytes": bytes, "total": total});
                put(at, "push-progress", fields, out);
            }
            Event::PushDone {
                image,
                sent,
                kept,
                duration,
                outcome,
            } => {
                let fields = json!({"image": &**image, "sent": sent, "kept": kept});
                put(at, "push-finished", ended(fields, *duration, outcome), out);
            }
            Event::Warning { message } => put(at, "warning", json!({"message": message}), out),
            _ => {}
        }
    }

    fn tick(&mut self, _: Duration, _: &mut String) {}

    fn finish(&mut self, at: Duration, ok: bool, out: &mut String) {
        let Tally {
            steps,
            cached,
            failed,
            fetched,
            ..
        } = &self.tally;
        let result = if ok { "done" } else { "failed" };
        let fields = json!({"result": result, "steps": steps, "cached": cached, "failed": failed, "fetched": fetched});
        put(at, "summary", fields, out);
    }
}
