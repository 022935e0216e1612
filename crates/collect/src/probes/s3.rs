//! A bucket of S3, or of a store that speaks like it: whether it is there and may be seen.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::DurationText;
use pipeline::Pipeline;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};

use super::ProbeError;
use super::config::{Timing, interval, timeout};
use super::http_client::{HttpClient, parse_url, shown_url};
use super::prober::{Found, Look, Prober};
use crate::trust::Authorities;

/// How long a signature is good: long enough for a clock that is a little off.
const SIGNED_FOR: Duration = Duration::from_secs(300);

/// A bucket of S3 or of a store that speaks like it: an entry of `[[probes.s3]]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct S3Probe {
    /// What to call it; by default the address and the bucket.
    pub name: Option<String>,
    /// Where the store is: `http://seaweedfs:8333`.
    pub url: String,
    /// The bucket.
    pub bucket: String,
    /// The region that requests are signed for.
    #[serde(default = "region")]
    pub region: String,
    /// The id of the key; without one, the bucket is asked for anonymously.
    pub access_key_id: Option<String>,
    /// The key.
    pub secret_access_key: Option<String>,
    /// Where the name of the bucket stands.
    #[serde(default)]
    pub style: BucketStyle,
    /// A file with the certificate (PEM) of an authority to trust beside those of this system.
    pub ca_file: Option<PathBuf>,
    /// How often it is asked.
    #[serde(default = "interval")]
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// How long one look may take.
    #[serde(default = "timeout")]
    #[schemars(with = "String")]
    pub timeout: DurationText,
}

fn region() -> String {
    "us-east-1".to_owned()
}

/// Where the name of a bucket stands.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum BucketStyle {
    /// In the path, as stores of one's own have it.
    #[default]
    Path,
    /// In the name of the host, as Amazon has it.
    Host,
}

struct S3 {
    client: HttpClient,
    bucket: Bucket,
    credentials: Option<Credentials>,
}

pub(super) fn prober(
    config: &S3Probe,
    authorities: &Authorities,
    pipeline: &Arc<Pipeline>,
) -> Result<Prober, ProbeError> {
    let label = config.name.as_deref().unwrap_or("(unnamed)");
    let fail = |problem: String| ProbeError::new(label, problem);
    let endpoint = parse_url(&config.url).map_err(fail)?;
    let credentials = match (&config.access_key_id, &config.secret_access_key) {
        (Some(id), Some(secret)) => Some(Credentials::new(id.clone(), secret.clone())),
        (None, None) => None,
        _ => return Err(fail("`access_key_id` and `secret_access_key` come together".to_owned())),
    };
    let style = match config.style {
        BucketStyle::Path => UrlStyle::Path,
        BucketStyle::Host => UrlStyle::VirtualHost,
    };
    let bucket = Bucket::new(endpoint, style, config.bucket.clone(), config.region.clone())
        .map_err(|error| fail(format!("`bucket` or `url` cannot be used: {error}")))?;
    let target = shown_url(bucket.base_url()).trim_end_matches('/').to_owned();
    let client = HttpClient::new(authorities, config.ca_file.as_deref()).map_err(fail)?;
    let timing = Timing::new(label, config.interval, config.timeout)?;
    let look = S3 { client, bucket, credentials };
    Ok(Prober::new(config.name.as_deref(), target, timing, Box::new(look), pipeline))
}

#[async_trait]
impl Look for S3 {
    fn kind(&self) -> &'static str {
        "s3"
    }

    async fn look(&mut self, found: &mut Found) -> Result<(), String> {
        let url = self.bucket.head_bucket(self.credentials.as_ref()).sign(SIGNED_FOR);
        let response = self.client.send(self.client.client().head(url), found).await?;
        let status = response.status();
        found.sample("probe_http_status_code", f64::from(status.as_u16()));
        found.fact("status", status.as_u16());
        if status.is_success() {
            return Ok(());
        }
        let bucket = self.bucket.name();
        Err(match status.as_u16() {
            404 => format!("there is no bucket {bucket} (status 404)"),
            401 | 403 if self.credentials.is_some() => {
                format!(
                    "the key is not accepted, or may not see the bucket {bucket} (status {})",
                    status.as_u16()
                )
            }
            401 | 403 => {
                format!("nobody may see the bucket {bucket} without a key (status {})", status.as_u16())
            }
            301 | 307 | 308 => format!("the bucket {bucket} is elsewhere, or in another region"),
            other => format!("it answers with status {other}"),
        })
    }
}
