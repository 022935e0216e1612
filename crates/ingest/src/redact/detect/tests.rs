use super::*;

/// What a detector finds in a text.
fn found(name: &str, text: &str) -> Vec<String> {
    let settings = Redaction { ips: true, ..Redaction::default() };
    let all = all(&settings).expect("shipped detectors");
    let detector = all.iter().find(|detector| detector.name == name).expect("a detector of this name");
    let mut ranges = Vec::new();
    detector.find(text, &mut ranges);
    ranges.into_iter().map(|range| text[range].to_owned()).collect()
}

fn check(name: &str, cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        assert_eq!(found(name, text), *expected, "{name}: {text}");
    }
}

#[test]
fn cards_have_an_issuer_a_length_and_a_check_digit() {
    check(
        CARD_NUMBER,
        &[
            ("4111111111111111", &["4111111111111111"]),
            ("12 4111 1111 1111 1111 12/27", &["4111 1111 1111 1111"]),
            ("4111-1111-1111-1111-1111", &[]),
            ("4111 1111-1111 1111", &[]),
            ("4111111111111112", &[]),
            ("1754083800000", &[]),
            ("x4111111111111111", &[]),
            ("0.4111111111111111", &[]),
            ("trace_id=4111111111111111", &[]),
            ("paid 4111111111111111", &["4111111111111111"]),
            ("orderId: 4111111111111111", &[]),
        ],
    );
}

#[test]
fn account_numbers_have_a_country_a_length_and_check_digits() {
    check(
        IBAN,
        &[
            ("DE89 3704 0044 0532 0130 00 ok", &["DE89 3704 0044 0532 0130 00"]),
            ("DE89370400440532013000", &["DE89370400440532013000"]),
            ("DE89370400440532013001", &[]),
            ("DE893704004405320130001", &[]),
            ("XDE89370400440532013000", &[]),
            ("DE89 370400 44", &[]),
            ("ZZ89370400440532013000", &[]),
        ],
    );
}

#[test]
fn addresses_are_told_from_what_looks_like_them() {
    check(
        EMAIL,
        &[
            ("a.b+c@x-y.example.org.", &["a.b+c@x-y.example.org"]),
            ("?m=jane%40example.org&", &["jane%40example.org"]),
            ("<jürgen@müller.example>", &["jürgen@müller.example"]),
            ("a@b.org,c@d.org", &["a@b.org", "c@d.org"]),
            ("react@18.2.0 icon@2x.png user@1000.service", &[]),
            ("https://me@example.org/ git@example.org:a/b", &[]),
            ("@app.route x@ @ a@b a@.org a@b..org", &[]),
        ],
    );
    check(
        IP,
        &[
            ("10.1.2.3:80", &["10.1.2.3"]),
            ("[2001:db8::1]:443", &["2001:db8::1"]),
            ("1.2.3.4.5 v1.2.3.4 127.0.0.1 ::1 256.1.1.1", &[]),
            ("21:30:00 std::string de::be", &[]),
        ],
    );
}

#[test]
fn telephone_numbers_are_told_from_times_ids_and_versions() {
    check(
        PHONE,
        &[
            ("+49 (0)30 23125-123", &["+49 (0)30 23125-123"]),
            ("(212) 555-0187", &["(212) 555-0187"]),
            ("030/23125 123", &["030/23125 123"]),
            ("01 99 00 12 34", &["01 99 00 12 34"]),
            ("home_phone: 5550123", &["5550123"]),
            ("2025-08-01 0171 3920012", &["0171 3920012"]),
            ("2025-08-01 21:30:00,123", &[]),
            ("hotel 5550123", &[]),
            ("order 555-555-0100", &[]),
            ("01 02 03 04 05 06 07 08", &[]),
            ("+02:00 +12345 1e+123456789", &[]),
            ("tel 192.168.10.20", &[]),
        ],
    );
}

#[test]
fn values_are_taken_at_names_of_secrets_with_every_kind_of_quotes() {
    check(
        ASSIGNED_SECRET,
        &[
            (r#"password="x \"y\" z" x"#, &[r#"x \"y\" z"#]),
            (r#"{\"password\":\"x y\",\"x\":1}"#, &["x y"]),
            (r#"{\\\"password\\\":\\\"ab\\\"}"#, &["ab"]),
            ("password='unclosed and so on\nnext", &["unclosed and so on"]),
            ("a.password=abcd&b=c", &["abcd"]),
            ("Password: abc&1def.", &["abc&1def"]),
            ("--db-password abcd --x", &["abcd"]),
            ("<db:password>abcd</db:password>", &["abcd"]),
            ("Cookie: a=b; c=d e", &["a=b; c=d"]),
            ("token=abcdefgh", &["abcdefgh"]),
            ("token: abcdefgh", &[]),
            ("tokens=abcdefgh page_token=abcdefgh", &[]),
            ("password == abcd", &[]),
            ("password= user=abcd", &[]),
            ("password=get(abcd)", &[]),
            ("password: is too short, abcd", &[]),
            ("PWD=/srv/app", &[]),
            ("password", &[]),
            ("password=", &[]),
            ("password=\"", &[]),
            ("password=\\", &[]),
        ],
    );
}

#[test]
fn credentials_of_http_are_told_from_talk_about_them() {
    check(
        BEARER,
        &[
            ("Authorization: Bearer abcdef123456", &["abcdef123456"]),
            (r#"\"authorization\":\"token abc-def\""#, &["abc-def"]),
            ("Basic dXNlcjpwYXNzd29yZA==", &["dXNlcjpwYXNzd29yZA=="]),
            ("Basic authentication and bearer tokens", &[]),
            ("authorization: required", &[]),
        ],
    );
    let token = concat!("ey", "JhbGciOiJub25lIn0.e30.c2ln");
    check(JWT, &[(&format!("a {token} b"), &[token]), ("eyJsZXZlbCI6ImluZm8ifQ.a1.b2", &[])]);
    let key = concat!("-----BEGIN ", "PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----");
    check(
        PRIVATE_KEY,
        &[(&format!("a {key} b"), &[key]), ("a -----BEGIN PRIVATE KEY----- was expected", &[])],
    );
}

#[test]
fn of_a_key_of_which_a_part_is_there_that_part_goes() {
    let begin = concat!("-----BEGIN ", "RSA PRIVATE KEY-----");
    let end = "-----END RSA PRIVATE KEY-----";
    let full = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let cut = format!("{begin}\n{full}\n{full} and what was cut…");
    let headed = format!("{begin}\n12:00 INFO {full}\n12:00 INFO rest");
    let last = format!("{full}\n{full}\n8Hw==\n{end}");
    let escaped = format!("{full}\\n{full}\\n{end}");
    let logged = format!("{full}\n12:00 INFO {full}\n{end}");
    check(
        PRIVATE_KEY,
        &[
            (&format!("a {cut}"), &[&cut]),
            (&format!("a {headed}"), &[&headed]),
            (&format!("see\n{last}\nb"), &[&last]),
            (&format!("see: {escaped} b"), &[&escaped]),
            (&format!("12:00 INFO {logged}"), &[&logged]),
            (&format!("{last}\n{cut}"), &[&last, &cut]),
            (&format!("no {begin} there\n{cut}"), &[&cut]),
            (&format!("{full}\nno key.\n{end}"), &[]),
            (&format!("no {end}"), &[]),
            (begin, &[]),
            (full, &[]),
        ],
    );
}

#[test]
fn short_names_need_more_than_a_word_after_them() {
    check(
        ASSIGNED_SECRET,
        &[
            ("db_pass=hunter2 x", &["hunter2"]),
            ("SMTP_PASS: hunter2", &["hunter2"]),
            ("pw=\"hunter2\"", &["hunter2"]),
            ("--- PASS: TestKey2 (0.1s)", &[]),
            ("pass: 1200 bypass=hunter2 pass=inline", &[]),
            ("\"auth\":\"am9lOmh1bnRlcjI=\"", &["am9lOmh1bnRlcjI="]),
            ("auth: ldap2/default auth=none", &[]),
            ("\"cvv\":\"123\" ssn=123-45-6789", &["123", "123-45-6789"]),
            ("cvv: 12 ssn: 1234567 sessn=123", &[]),
            ("\"set-cookie\":[\"sid=abc; Path=/\"]", &["sid=abc; Path=/"]),
        ],
    );
}

#[test]
fn values_are_taken_where_signs_are_written_for_urls_and_html() {
    check(
        ASSIGNED_SECRET,
        &[
            ("b=%7B%22password%22%3A%22hunter2%22%7D", &["hunter2"]),
            ("%22accessToken%22%3A%22abcdefgh12%22", &["abcdefgh12"]),
            ("%22token%22%3A%22abcdefgh12%22", &["abcdefgh12"]),
            ("password%3Dhunter2%26a", &["hunter2"]),
            ("&quot;password&quot;:&quot;hunter2&quot;", &["hunter2"]),
            ("password=%21hunter2&a=b", &["%21hunter2"]),
            ("%22password%22%3Anull%2C password%20reset", &[]),
        ],
    );
}

#[test]
fn passwords_are_taken_in_orders_to_programs_and_databases() {
    check(
        ASSIGNED_SECRET,
        &[
            ("mysqldump -uroot -phunter2 shop", &["hunter2"]),
            ("[\"mysql\",\"-uroot\",\"-phunter2\"]", &["hunter2"]),
            ("mysql -p'a;b c' shop", &["a;b c"]),
            ("curl -s -u joe:hunter2 https://a.example/", &["hunter2"]),
            ("curl --user \"joe:hunter2\" x", &["hunter2"]),
            ("sshpass -p hunter2 ssh x", &["hunter2"]),
            ("redis-cli -h cache -a hunter2 ping", &["hunter2"]),
            ("docker login -u joe -p hunter2 r.example", &["hunter2"]),
            ("openssl rsa -passin pass:hunter2 -in k", &["hunter2"]),
            ("keytool -storepass hunter2 -list", &["hunter2"]),
            ("AUTH PLAIN AGpvZQBodW50ZXIy", &["pvZQBodW50ZXIy"]),
            ("[0 10.1.1.1:5] \"AUTH\" \"hunter2\" x", &["hunter2"]),
            ("\"AUTH\" \"joe\" \"hunter2\"", &["hunter2"]),
            ("CREATE USER a IDENTIFIED BY 'hunter2';", &["hunter2"]),
            ("alter role a with password 'hunter2'", &["hunter2"]),
            ("mysql -h db -P 3306 -u root -p shop", &[]),
            ("mysql -uroot -p$PASSWORD", &[]),
            ("curl -sS https://a.example/my-unit:8080 -u : --negotiate", &[]),
            ("curl --user-agent=a:b x", &[]),
            ("ssh -p 2222 h; mkdir -p /srv; docker run -p 1:2 x", &[]),
            ("250-AUTH PLAIN LOGIN", &[]),
            ("a cluster identified by 'eu'", &[]),
        ],
    );
}

#[test]
fn a_password_in_a_url_may_have_a_sign_that_urls_know() {
    check(
        URL_PASSWORD,
        &[
            ("mysql://root:r00t#1@db/shop", &["r00t#1"]),
            ("http://host:8080#a@b", &[]),
            ("https://host:443?m=a@b.org", &[]),
        ],
    );
}

#[test]
fn signs_that_make_a_number_one_to_call_are_read_as_urls_have_them() {
    check(
        PHONE,
        &[
            ("?phone=%2B14155550132&x", &["%2B14155550132"]),
            ("%2b4930231251 x", &["%2b4930231251"]),
            ("tech +1.2125550123 x", &["+1.2125550123"]),
            ("lat=+48.856614", &[]),
            ("a=2B14155550132 b=%2B1 c=%2B0200", &[]),
        ],
    );
    check(
        BEARER,
        &[
            ("token_type=bearer expires_in=3600", &[]),
            ("Authorization=Bearer+abcdef123456", &["abcdef123456"]),
            ("bearer abcdef1234==", &["abcdef1234=="]),
        ],
    );
}
