//! What the API shows: the JSON shapes, with their units.
//!
//! Times are RFC 3339, durations are seconds, sizes are bytes, ratios are 0 to 1. The shapes are kept
//! apart from the types inside, so that those can change without breaking a client.

pub(crate) mod access;
pub(crate) mod alert_context;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod diagnosis;
pub(crate) mod exits;
pub(crate) mod hosts;
pub(crate) mod jobs;
pub(crate) mod operations;
pub(crate) mod overview;
pub(crate) mod patterns;
pub(crate) mod probes;
pub(crate) mod queues;
pub(crate) mod records;
pub(crate) mod requests;
pub(crate) mod seeds;
pub(crate) mod services;
pub(crate) mod sql;
pub(crate) mod traces;
pub(crate) mod watch;
pub(crate) mod workers;

/// How a value inside becomes a value on the wire. Most are the same.
pub(crate) trait Show<T> {
    fn show(self) -> T;
}

impl<T> Show<T> for T {
    fn show(self) -> T {
        self
    }
}

impl Show<String> for std::net::SocketAddr {
    fn show(self) -> String {
        self.to_string()
    }
}

/// Declares a shape whose fields have the names of the fields of a type inside.
macro_rules! shape {
    ($(#[$meta:meta])* $name:ident from $source:ty { $($(#[$field_meta:meta])* $field:ident : $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, serde::Serialize, utoipa::ToSchema)]
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: $type),+
        }

        impl From<$source> for $name {
            fn from(value: $source) -> Self {
                Self { $($field: $crate::wire::Show::show(value.$field)),+ }
            }
        }

        impl $crate::wire::Show<$name> for $source {
            fn show(self) -> $name {
                self.into()
            }
        }

        impl $crate::wire::Show<Option<$name>> for Option<$source> {
            fn show(self) -> Option<$name> {
                self.map(Into::into)
            }
        }

        impl $crate::wire::Show<Vec<$name>> for Vec<$source> {
            fn show(self) -> Vec<$name> {
                self.into_iter().map(Into::into).collect()
            }
        }
    };
}
pub(crate) use shape;

/// Enums are shown by their names.
macro_rules! shown_by_name {
    ($($type:ty),+ $(,)?) => {
        $(
            impl $crate::wire::Show<&'static str> for $type {
                fn show(self) -> &'static str {
                    self.as_str()
                }
            }

            impl $crate::wire::Show<Option<&'static str>> for Option<$type> {
                fn show(self) -> Option<&'static str> {
                    self.map(<$type>::as_str)
                }
            }
        )+
    };
}
pub(crate) use shown_by_name;

shown_by_name!(
    alert::CheckVerdict,
    collect::QueueAction,
    crate::receivers::Transport,
    model::event::Capability,
    model::event::ExitCause,
    model::event::StageStatus,
    pipeline::AttemptOutcome,
    pipeline::JobStatus,
    pipeline::QueueState,
    pipeline::Verdict,
    pipeline::WorkerStatus,
    state::AlertState,
    state::DeliveryState,
    state::Outcome,
    state::Role,
);
