//! Configurations for every kind of route, and environments in which they are read.

/// The config and the credentials file.
pub(super) const FILES: &[(&str, &str)] = &[
    ("", ""),
    ("[default]\nregion = eu-west-1\n[profile p]\nregion = eu-west-1\n", ""),
    // Keys, in either file or in both.
    ("", "[default]\naws_access_key_id = D\naws_secret_access_key = S\n"),
    ("", "[p]\naws_access_key_id = P\naws_secret_access_key = S\naws_session_token = T\n"),
    (
        "[default]\naws_access_key_id = C\naws_secret_access_key = S\naws_security_token = O\naws_session_token = T\n",
        "",
    ),
    ("[profile p]\naws_access_key_id = C\naws_secret_access_key = S\n", "[p]\naws_session_token = T\n"),
    ("[profile p]\naws_access_key_id = C\naws_secret_access_key = S\n", "[p]\naws_access_key_id = K\n"),
    ("[profile p]\naws_access_key_id = C\naws_secret_access_key = S\n", "[p]\naws_secret_access_key = K\n"),
    ("[profile p]\naws_secret_access_key = S\n[default]\naws_access_key_id = A\n", ""),
    (
        "[profile p]\naws_access_key_id =\naws_secret_access_key =\n",
        "[default]\naws_access_key_id = A\naws_secret_access_key =\n",
    ),
    ("", "[p]\naws_access_key_id = P\naws_secret_access_key = S\naws_security_token =\naws_session_token = T\n"),
    ("[DEFAULT]\naws_access_key_id = A\n[profile p]\naws_secret_access_key = S\n[profile q]\n", ""),
    ("", "[DEFAULT]\naws_secret_access_key = S\n[p]\naws_access_key_id = A\n[default]\n"),
    ("[default]\naws_access_key_id = A\naws_secret_access_key = S\n[profile default]\nregion = x\n", ""),
    (
        "[profile default]\naws_access_key_id = A\naws_secret_access_key = S\n",
        "[profile p]\naws_access_key_id = B\naws_secret_access_key = S\n",
    ),
    // Processes, and sources with precedence over them.
    ("[profile p]\ncredential_process = /bin/keys --a 'b c'\n[default]\ncredential_process = x\n", ""),
    ("[profile p]\ncredential_process = x\naws_access_key_id = C\naws_secret_access_key = S\n", ""),
    ("[profile p]\ncredential_process = x\n", "[p]\naws_access_key_id = P\naws_secret_access_key = S\n"),
    ("[profile p]\nregion = x\n", "[p]\ncredential_process = x\n"),
    ("[profile p]\nlogin_session = x\ncredential_process = x\n", ""),
    ("[profile p]\nlogin_session = x\n", "[p]\naws_access_key_id = P\naws_secret_access_key = S\n"),
    // IAM Identity Center.
    (
        "[profile p]\nsso_account_id = 1\nsso_role_name = r\nsso_region = x\nsso_start_url = u\n",
        "[p]\naws_access_key_id = P\n",
    ),
    (
        "[profile p]\nsso_account_id = 1\nsso_role_name = r\nsso_session = s\n[sso-session s]\nsso_region = x\nsso_start_url = u\n",
        "",
    ),
    (
        "[profile p]\nsso_account_id = 1\nsso_session = s\nsso_region = x\n[sso-session s]\nsso_role_name = r\nsso_start_url = u\n",
        "",
    ),
    (
        "[profile p]\nsso_account_id = 1\nsso_role_name = r\nsso_session = s\nsso_region = y\n[sso-session s]\nsso_region = x\nsso_start_url = u\n",
        "",
    ),
    (
        "[profile p]\nsso_account_id = 1\nsso_role_name = r\nsso_session = t\n[sso-session s]\nsso_region = x\nsso_start_url = u\n",
        "",
    ),
    (
        "[profile p]\nsso_session = s\naws_access_key_id = C\naws_secret_access_key = S\n[sso-session s]\nsso_region = x\n",
        "",
    ),
    ("[profile p]\nsso_start_url = u\nsso_region = x\ncredential_process = x\n", ""),
    ("[profile p]\nsso_account_id = 1\nsso_role_name = r\nsso_region = x\n", ""),
    (
        "[profile p]\nsso_account_id = 1\nsso_role_name = r\nsso_session = 'My SSO'\n[sso-session 'My SSO']\nsso_region = x\n",
        "",
    ),
    (
        "[profile p]\nsso_account_id = 1\nsso_role_name = r\nsso_session = My SSO\n[sso-session 'My SSO']\nsso_region = x\nsso_start_url = u\n",
        "",
    ),
    // Web identities.
    (
        "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\nweb_identity_token_file = /t\nrole_session_name = n\nduration_seconds = 43200\n",
        "",
    ),
    ("[profile p]\nweb_identity_token_file = /t\n", ""),
    (
        "[default]\nrole_arn = arn:aws:iam::222222222222:role/r\nweb_identity_token_file =\naws_access_key_id = C\naws_secret_access_key = S\n",
        "",
    ),
    (
        "[default]\nrole_arn = arn:aws:iam::222222222222:role/r\nweb_identity_token_file = ~/t\nduration_seconds = x\n",
        "[default]\naws_access_key_id = P\naws_secret_access_key = S\n",
    ),
    // Roles with a source_profile.
    (SPOKE, "[hub]\naws_access_key_id = H\naws_secret_access_key = S\n"),
    (SPOKE, "[hub]\ncredential_process = x\n"),
    (SPOKE, "[hub]\nregion = x\n"),
    (SPOKE, ""),
    (SPOKE, "[hub]\naws_secret_access_key = S\n"),
    (SPOKE, "[hub]\nsso_account_id = 1\nsso_role_name = r\nsso_region = x\nsso_start_url = u\naws_access_key_id = H\n"),
    (
        SPOKE,
        "[hub]\nrole_arn = arn:aws:iam::333333333333:role/h\nsource_profile = p\naws_access_key_id = H\naws_secret_access_key = S\n",
    ),
    (SPOKE, "[hub]\nrole_arn = arn:aws:iam::333333333333:role/h\nsource_profile = p\n"),
    (SPOKE, "[hub]\nrole_arn = arn:aws:iam::333333333333:role/h\nsource_profile = hub\n"),
    (SPOKE, "[hub]\nrole_arn = arn:aws:iam::333333333333:role/h\nweb_identity_token_file = /t\n"),
    (SPOKE, "[hub]\nrole_arn = nonsense\nmfa_serial = m\naws_access_key_id = H\naws_secret_access_key = S\n"),
    (SPOKE, "[hub]\nrole_arn = arn:aws:iam::333333333333:role/h\ncredential_source = EcsContainer\n"),
    (SPOKE, "[hub]\nmfa_serial = m\nrole_arn = arn:aws:iam::333333333333:role/h\ncredential_source = Environment\n"),
    (
        "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = p\naws_access_key_id = C\naws_secret_access_key = S\n",
        "",
    ),
    ("[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = p\n", ""),
    (
        "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = p\nsso_account_id = 1\nsso_role_name = r\nsso_region = x\nsso_start_url = u\n",
        "",
    ),
    (
        "[default]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = p\n[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = default\n",
        "",
    ),
    ("[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = default\n", ""),
    (
        "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = Main Hub\n[profile 'Main Hub']\naws_access_key_id = C\naws_secret_access_key = S\n",
        "",
    ),
    (
        "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = 'hub'\n[profile hub]\naws_access_key_id = C\naws_secret_access_key = S\n",
        "",
    ),
    // Roles with a credential_source, without a source, with both; options of roles.
    ("[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\ncredential_source = Environment\n", ""),
    ("[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\ncredential_source = EcsContainer\n", ""),
    ("[default]\nrole_arn = arn:aws:iam::222222222222:role/r\ncredential_source = Ec2InstanceMetadata\n", ""),
    ("[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\ncredential_source = ec2instancemetadata\n", ""),
    ("[profile p]\ncredential_source = EcsContainer\naws_access_key_id = C\naws_secret_access_key = S\n", ""),
    ("[default]\nrole_arn = arn:aws:iam::222222222222:role/r\naws_access_key_id = C\naws_secret_access_key = S\n", ""),
    (
        "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = q\ncredential_source =\n[profile q]\n",
        "",
    ),
    ("[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile =\n", ""),
    ("[profile p]\nrole_arn =\naws_access_key_id = C\naws_secret_access_key = S\n", ""),
    ("[profile p]\nrole_arn = nonsense\ncredential_source = Ec2InstanceMetadata\n", ""),
    (
        "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\ncredential_source = Ec2InstanceMetadata\nexternal_id = x y\nrole_session_name = n\nduration_seconds = 900\n",
        "",
    ),
    (
        "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\ncredential_source = Ec2InstanceMetadata\nexternal_id =\nrole_session_name =\nduration_seconds =\nmfa_serial =\n",
        "",
    ),
    (
        "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\ncredential_source = Ec2InstanceMetadata\nduration_seconds = 1h\n",
        "",
    ),
    (
        "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\ncredential_source = Ec2InstanceMetadata\nduration_seconds = 99999\n",
        "",
    ),
    (
        "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\ncredential_source = Ec2InstanceMetadata\nmfa_serial = m\n",
        "",
    ),
    (
        "[profile p]\nrole_arn: arn:aws-cn:iam::222222222222:role/a/b\n  # comment\n  credential_source: Ec2InstanceMetadata\n",
        "",
    ),
];

const SPOKE: &str = "[profile p]\nrole_arn = arn:aws:iam::222222222222:role/r\nsource_profile = hub\nexternal_id = x\n";

/// Variables.
pub(super) const ENVIRONMENTS: &[&[(&str, &str)]] = &[
    &[],
    &[("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "S"), ("AWS_SESSION_TOKEN", "T")],
    &[
        ("AWS_ACCESS_KEY_ID", "E"),
        ("AWS_SECRET_ACCESS_KEY", "S"),
        ("AWS_SECURITY_TOKEN", "O"),
        ("AWS_SESSION_TOKEN", "T"),
    ],
    &[("AWS_ACCESS_KEY_ID", "E")],
    &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "S")],
    &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/env"), ("AWS_ROLE_ARN", "arn:aws:iam::444444444444:role/e")],
    &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/env"), ("AWS_ROLE_SESSION_NAME", "e")],
    &[("AWS_ROLE_ARN", "arn:aws:iam::444444444444:role/e")],
    &[("AWS_WEB_IDENTITY_TOKEN_FILE", ""), ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x")],
    &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1")],
    &[("AWS_EC2_METADATA_DISABLED", "True")],
    &[("AWS_EC2_METADATA_DISABLED", "yes"), ("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-west-2")],
    &[("AWS_PROFILE", "p")],
    &[("AWS_DEFAULT_PROFILE", "p"), ("AWS_PROFILE", "missing")],
    &[("AWS_PROFILE", "p"), ("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "S")],
    &[("AWS_PROFILE", "missing"), ("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "S")],
    &[
        ("AWS_PROFILE", "p"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/env"),
        ("AWS_ROLE_ARN", "arn:aws:iam::444444444444:role/e"),
    ],
    &[("AWS_PROFILE", "")],
    &[("AWS_PROFILE", " p ")],
    &[("AWS_PROFILE", "default")],
    // Whitespace is a value.
    &[("AWS_PROFILE", " ")],
    &[("AWS_DEFAULT_PROFILE", ""), ("AWS_PROFILE", "p")],
    &[("AWS_ACCESS_KEY_ID", " "), ("AWS_SECRET_ACCESS_KEY", "S")],
    &[("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", " ")],
    &[
        ("AWS_ACCESS_KEY_ID", "E"),
        ("AWS_SECRET_ACCESS_KEY", "S"),
        ("AWS_SECURITY_TOKEN", " "),
        ("AWS_SESSION_TOKEN", "T"),
    ],
    &[
        ("AWS_ACCESS_KEY_ID", "E"),
        ("AWS_SECRET_ACCESS_KEY", "S"),
        ("AWS_SECURITY_TOKEN", ""),
        ("AWS_SESSION_TOKEN", "T"),
    ],
    &[("AWS_WEB_IDENTITY_TOKEN_FILE", " "), ("AWS_ROLE_ARN", "arn:aws:iam::444444444444:role/e")],
    &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/env"), ("AWS_ROLE_ARN", " ")],
    &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/env"), ("AWS_ROLE_ARN", "")],
    &[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/env "),
        ("AWS_ROLE_ARN", "arn:aws:iam::444444444444:role/e"),
        ("AWS_ROLE_SESSION_NAME", " "),
    ],
    &[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")],
    &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", " ")],
    &[("AWS_EC2_METADATA_DISABLED", "")],
    &[("AWS_EC2_METADATA_DISABLED", " true")],
];

/// Variables with the paths of the files. The files of `{folder}` are `config` and `credentials`, and so are those of
/// `{folder}/.aws`. `None`: the variable is not set.
pub(super) const PLACES: &[&[(&str, Option<&str>)]] = &[
    &[("AWS_CONFIG_FILE", None)],
    &[("AWS_CONFIG_FILE", None), ("AWS_SHARED_CREDENTIALS_FILE", None)],
    &[("AWS_CONFIG_FILE", Some(""))],
    &[("AWS_SHARED_CREDENTIALS_FILE", Some(""))],
    &[("AWS_CONFIG_FILE", Some("/nonexistent"))],
    &[("AWS_CONFIG_FILE", Some("{folder}"))],
    &[("AWS_SHARED_CREDENTIALS_FILE", Some("/"))],
    &[("AWS_CONFIG_FILE", Some("/dev/null"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/config/"))],
    &[("AWS_CONFIG_FILE", Some(" {folder}/config"))],
    &[("AWS_CONFIG_FILE", Some("~/config"))],
    &[("AWS_CONFIG_FILE", Some("~"))],
    &[("AWS_CONFIG_FILE", Some("~root/..{folder}/config"))],
    &[("AWS_CONFIG_FILE", Some("~nobody-of-this-name/config"))],
    &[("AWS_CONFIG_FILE", Some("$HOME/config")), ("AWS_SHARED_CREDENTIALS_FILE", Some("${HOME}/credentials"))],
    &[("AWS_CONFIG_FILE", Some("$PLACE/config")), ("PLACE", Some("{folder}"))],
    &[("AWS_CONFIG_FILE", Some("$PLACE/config")), ("PLACE", Some("~"))],
    &[("AWS_CONFIG_FILE", Some("$PLACE/config")), ("PLACE", Some("$HOME"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/${NAME}")), ("NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/$UNKNOWN_PLACE/config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/config$EMPTY")), ("EMPTY", Some(""))],
    // Nested and malformed variables. `{folder}` is replaced first.
    &[("AWS_CONFIG_FILE", Some("{folder}/${X$NAME}")), ("NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/${X$NAME}")), ("NAME", Some("config")), ("X$NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/${X$NAME")), ("NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/$UNKNOWN_PLACE$NAME")), ("NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/${UNKNOWN_PLACE}$NAME")), ("NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/${}$NAME")), ("NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/$$NAME")), ("NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/${ NAME}")), ("NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/${NAME}}")), ("NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/$NAME{}")), ("NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/\\$NAME")), ("NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/$NAMEé")), ("NAME", Some("config"))],
    &[("AWS_CONFIG_FILE", Some(" "))],
    &[("AWS_SHARED_CREDENTIALS_FILE", Some("\t"))],
    &[("AWS_CONFIG_FILE", None), ("HOME", Some(""))],
    &[("AWS_CONFIG_FILE", Some("~{folder}/config")), ("HOME", Some(""))],
    &[("AWS_CONFIG_FILE", None), ("HOME", Some("{folder}/"))],
    &[("AWS_CONFIG_FILE", Some("~/config")), ("HOME", Some(" "))],
    &[("AWS_CONFIG_FILE", Some("{folder}/credentials")), ("AWS_SHARED_CREDENTIALS_FILE", Some("{folder}/config"))],
    &[("AWS_CONFIG_FILE", Some("{folder}/config")), ("AWS_SHARED_CREDENTIALS_FILE", Some("{folder}/config"))],
];
