//! Parameters as programs of others send them: unknown ones are passed over, empty ones are not there, and a name may
//! occur more than once.

use axum::Form;
use axum::body::Body;
use axum::extract::{FromRequest, Query, Request};
use axum::http::{Method, header};
use model::ByteSize;

use crate::context::Shared;
use crate::guard::body;
use crate::problem::{Kind, Problem};

/// The largest form: dashboards list hundreds of names in an expression.
const MAX_FORM: ByteSize = ByteSize(1 << 20);

/// The parameters of a request, in its address and in its form: pairs of names and values.
pub(super) struct Given(Vec<(String, String)>);

impl FromRequest<Shared> for Given {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        let read = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
        let Query(in_address) =
            read.map_err(|_| Problem::new(Kind::BadParameter, "The query parameters cannot be read."))?;
        if !has_form(&request) {
            return Ok(Self(in_address));
        }
        let (head, form) = request.into_parts();
        let form = body::read(&head.headers, form, MAX_FORM).await?;
        let form = Request::from_parts(head, Body::from(form));
        let read = Form::<Vec<(String, String)>>::from_request(form, app).await;
        let Form(mut pairs) = read.map_err(|error| {
            Problem::new(Kind::BadBody, format!("The form cannot be read: {}.", error.body_text()))
        })?;
        // What stands in the form counts before what stands in the address.
        pairs.extend(in_address);
        Ok(Self(pairs))
    }
}

/// Whether parameters stand in the body too. As in Prometheus, bodies of other kinds are passed over.
fn has_form(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_form = kind
        .and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    is_form && request.method() == Method::POST
}

impl Given {
    /// All pairs, as they were sent.
    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// The first value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let is_it = move |(key, value): &&(String, String)| key == name && !value.is_empty();
        self.0.iter().filter(is_it).map(|(_, value)| value.as_str())
    }

    /// A value that must be there.
    pub(super) fn needed(&self, name: &str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| wrong(name, "it is missing"))
    }

    /// A value as `read` makes it of its text.
    pub(super) fn read<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let read = |text| read(text).ok_or_else(|| wrong(name, &format!("expected {expected}")));
        self.get(name).map(read).transpose()
    }
}

/// A parameter that cannot be taken, and why.
pub(super) fn wrong(name: &str, reason: &str) -> Problem {
    Problem::new(Kind::BadParameter, format!("Invalid parameter `{name}`: {reason}."))
}
