// @generated automatically by Diesel CLI.

diesel::table! {
    use crate::store::types::*;

    access_lifetimes (seconds) {
        seconds -> Int8,
        used_until -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::types::*;

    auth_events (id) {
        id -> Int8,
        user_id -> Nullable<Int8>,
        kind -> Text,
        at -> Timestamptz,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        detail -> Text,
    }
}

diesel::table! {
    use crate::store::types::*;

    completed_steps (hash) {
        hash -> Bytea,
        session_id -> Nullable<Uuid>,
        notice -> Nullable<Text>,
        at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::types::*;

    database_identity (id) {
        id -> Text,
    }
}

diesel::table! {
    use crate::store::types::*;

    known_networks (user_id, network) {
        user_id -> Int8,
        network -> Text,
        seen_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::types::*;

    last_backup (name) {
        name -> Text,
        made_at -> Timestamptz,
        size_bytes -> Int8,
    }
}

diesel::table! {
    use crate::store::types::*;

    mail_outbox (id) {
        id -> Int8,
        kind -> Text,
        user_id -> Nullable<Int8>,
        recipient -> Text,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        created_at -> Timestamptz,
        due_at -> Timestamptz,
        expires_at -> Timestamptz,
        attempts -> Int8,
        registration_id -> Nullable<Int8>,
        requester -> Nullable<Text>,
        turn_at -> Timestamptz,
        occurrences -> Int8,
        first_at -> Nullable<Timestamptz>,
        unacknowledged -> Int8,
        about -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::store::types::*;

    one_time_tokens (hash) {
        hash -> Bytea,
        purpose -> Text,
        user_id -> Int8,
        email -> Text,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use crate::store::types::*;

    pending_registrations (id) {
        id -> Int8,
        email -> Text,
        email_canonical -> Text,
        username -> Nullable<Text>,
        username_canonical -> Nullable<Text>,
        password_hash -> Text,
        display_name -> Text,
        language -> Nullable<Text>,
        registration_hash -> Bytea,
        link_hash -> Nullable<Bytea>,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::types::*;

    sent_mails (mail_id) {
        mail_id -> Int8,
        address_hash -> Bytea,
        kind -> Text,
        sent_at -> Timestamptz,
        copies -> Int8,
    }
}

diesel::table! {
    use crate::store::types::*;

    sessions (id) {
        id -> Uuid,
        user_id -> Int8,
        generation -> Int8,
        jti -> Text,
        rotation_key_hash -> Nullable<Bytea>,
        created_at -> Timestamptz,
        rotated_at -> Timestamptz,
        previous_rotated_at -> Nullable<Timestamptz>,
        expires_at -> Timestamptz,
        absolute_expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
        revoke_reason -> Nullable<Text>,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        rotation_origin -> Nullable<Bytea>,
        previous_rotation_origin -> Nullable<Bytea>,
    }
}

diesel::table! {
    use crate::store::types::*;

    stray_files (name) {
        name -> Text,
        noted_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::types::*;

    users (id) {
        id -> Int8,
        email -> Text,
        email_canonical -> Text,
        username -> Nullable<Text>,
        username_canonical -> Nullable<Text>,
        password_hash -> Text,
        display_name -> Text,
        role -> Text,
        is_active -> Bool,
        email_verified_at -> Nullable<Timestamptz>,
        avatar_key -> Nullable<Text>,
        created_at -> Timestamptz,
        last_login_at -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::joinable!(auth_events -> users (user_id));
diesel::joinable!(completed_steps -> sessions (session_id));
diesel::joinable!(known_networks -> users (user_id));
diesel::joinable!(mail_outbox -> users (user_id));
diesel::joinable!(one_time_tokens -> users (user_id));
diesel::joinable!(sessions -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    access_lifetimes,
    auth_events,
    completed_steps,
    database_identity,
    known_networks,
    last_backup,
    mail_outbox,
    one_time_tokens,
    pending_registrations,
    sent_mails,
    sessions,
    stray_files,
    users,
);
