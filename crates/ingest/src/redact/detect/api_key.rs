//! `api_key`: keys whose issuer gave them a shape of their own, by which anybody tells them.
//!
//! Not taken: keys without such a shape (those of Azure, Mistral or Cohere are plain letters: `assigned_secret` has them
//! where they are assigned), words that begin alike (`sk-learn-…`), ids of keys that are public.

use std::ops::Range;

use super::{API_KEY, Detector, RedactError, Trigger};

/// Beginnings with spaces between them, and what follows each, by issuer.
const SHAPES: &[(&str, &str)] = &[
    // AWS: access key ids, for good and for a while.
    ("AKIA ASIA ABIA ACCA", "[A-Z2-7]{16}"),
    // GitHub: personal, OAuth, user, server and refresh tokens; fine-grained ones.
    ("ghp_ gho_ ghu_ ghs_ ghr_", "[A-Za-z0-9]{36,}"),
    ("github_pat_", "[A-Za-z0-9_]{22,}"),
    // GitLab: personal, deploy, runner, job, trigger, feed and agent tokens.
    (
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glimt- glagent- gloas-",
        "[A-Za-z0-9_-][A-Za-z0-9_.-]{19,}",
    ),
    // Slack: tokens, and the addresses of webhooks.
    ("xoxa- xoxb- xoxc- xoxe- xoxo- xoxp- xoxr- xoxs-", "[A-Za-z0-9-]{10,}"),
    ("xapp-", "[0-9]-[A-Za-z0-9-]{10,}"),
    ("hooks.slack.com/services/", "T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,}"),
    // Discord: the addresses of webhooks.
    ("discord.com/api/webhooks/ discordapp.com/api/webhooks/", "[0-9]{15,}/[A-Za-z0-9_-]{30,}"),
    // Teams: the addresses of webhooks.
    (
        "webhook.office.com/webhookb2/ outlook.office.com/webhook/",
        "[0-9a-f-]{8,36}@[0-9a-f-]{8,36}/IncomingWebhook/[0-9a-f]{32}(?:/[0-9a-f-]{8,36})?",
    ),
    // Stripe: secret, restricted and publishable keys; secrets of webhooks.
    ("sk_live_ sk_test_ rk_live_ rk_test_ pk_live_ pk_test_", "[A-Za-z0-9]{10,}"),
    ("whsec_", "[A-Za-z0-9][A-Za-z0-9+/=]{19,}"),
    // OpenAI, Anthropic, OpenRouter, Langfuse, and who took over their `sk-`.
    ("sk- sk_ rk- rk_ pk- pk_", "[A-Za-z0-9_-]{16,}"),
    // Google: API keys, OAuth clients and access tokens.
    ("AIza", "[A-Za-z0-9_-]{35}"),
    ("GOCSPX-", "[A-Za-z0-9_-]{20,}"),
    ("ya29.", "[A-Za-z0-9_-]{20,}"),
    // Hugging Face, Groq, Replicate, Perplexity, xAI.
    ("hf_", "[A-Za-z0-9]{30,}"),
    ("gsk_", "[A-Za-z0-9]{40,}"),
    ("r8_", "[A-Za-z0-9]{36,}"),
    ("pplx-", "[A-Za-z0-9]{40,}"),
    ("xai-", "[A-Za-z0-9]{60,}"),
    // SendGrid, Twilio, Mailgun.
    ("SG.", "[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}"),
    ("SK", "[0-9a-f]{32}"),
    ("key-", "[0-9a-f]{32}"),
    // Registries: npm, PyPI, Docker, RubyGems.
    ("npm_", "[A-Za-z0-9]{36}"),
    ("pypi-AgE", "[A-Za-z0-9_-]{20,}"),
    ("dckr_pat_ dckr_oat_", "[A-Za-z0-9_-]{20,}"),
    ("rubygems_", "[0-9a-f]{48}"),
    // Shopify, Square, Linear, Notion, Figma, Sentry, Grafana, New Relic.
    ("shpat_ shpca_ shppa_ shpss_", "[0-9a-fA-F]{32}"),
    ("sq0atp- sq0csp-", "[A-Za-z0-9_-]{22,}"),
    ("lin_api_", "[A-Za-z0-9]{32,}"),
    ("ntn_", "[A-Za-z0-9]{40,}"),
    ("figd_", "[A-Za-z0-9_-]{30,}"),
    ("sntrys_ sntryu_", "[A-Za-z0-9][A-Za-z0-9+/=_-]{39,}"),
    ("glsa_ glc_", "[A-Za-z0-9][A-Za-z0-9+/=_]{31,}"),
    ("NRAK-", "[A-Z0-9]{27}"),
    // DigitalOcean, Databricks, HashiCorp Vault, PlanetScale, Doppler, Fly, age.
    ("dop_v1_ doo_v1_ dor_v1_", "[0-9a-f]{64}"),
    ("dapi", "[0-9a-f]{32}"),
    ("hvs. hvb. hvr.", "[A-Za-z0-9_-]{24,}"),
    ("pscale_tkn_ pscale_pw_ pscale_oauth_", "[A-Za-z0-9_-][A-Za-z0-9_.-]{31,}"),
    ("dp.pt. dp.st. dp.ct.", "[A-Za-z0-9_-][A-Za-z0-9._-]{39,}"),
    ("fo1_", "[A-Za-z0-9_-]{40,}"),
    ("AGE-SECRET-KEY-1", "[0-9A-Z]{58}"),
    // Watchkeeper itself: API keys, and the local token.
    ("wk_ wkl_", "[A-Za-z0-9_-]{16,}"),
];

/// Tokens of Telegram's bots begin with digits, in addresses after `bot`.
const BOT_TOKEN: &str = "(?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_-]{33}";

/// How long one part of a key of the general shape is at least.
const MIN_PART: usize = 10;

pub(super) fn detector() -> Result<Detector, RedactError> {
    let beginnings = SHAPES.iter().flat_map(|(beginnings, _)| beginnings.split(' '));
    let triggers = beginnings.map(Trigger::token).chain([Trigger::exact(":AA")]).collect();
    let shapes = SHAPES.iter().map(|(beginnings, rest)| {
        let beginnings: Vec<String> = beginnings.split(' ').map(regex::escape).collect();
        format!("(?:{}){rest}", beginnings.join("|"))
    });
    // In the order of the list: the first shape that fits has it, and the general one comes late.
    let shapes: Vec<String> = shapes.chain([BOT_TOKEN.to_owned()]).collect();
    let pattern = format!(r"(?-u:\b)(?:{})", shapes.join("|"));
    Detector::of_pattern(API_KEY, triggers, &pattern, is_key)
}

/// What begins with `sk-` and the like can be words: a key has a long part with letters and digits.
fn is_key(text: &str, at: &Range<usize>) -> bool {
    let key = &text[at.clone()];
    let is_general =
        matches!(key.as_bytes(), [b's' | b'r' | b'p', b'k', b'-' | b'_', ..]) || key.starts_with("xox");
    !is_general
        || key[3..].split(['-', '_']).any(|part| {
            part.len() >= MIN_PART
                && part.bytes().any(|byte| byte.is_ascii_digit())
                && part.bytes().any(|byte| byte.is_ascii_alphabetic())
        })
}
