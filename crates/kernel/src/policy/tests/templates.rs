//! Templated paths, with security rows S04, S05, S07 and S08.

use super::{acl_for, allowed, rule};
use crate::policy::{Acl, AliasView, EntityView, GroupView, TemplateContext};
use std::collections::BTreeMap;
use wire::Operation;

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn context() -> TemplateContext {
    let alias = AliasView {
        mount_accessor: "auth_userpass_1".to_owned(),
        id: "alias-id".to_owned(),
        name: "alice".to_owned(),
        metadata: pairs(&[("scope", "blue"), ("dotted.key", "d")]),
        custom_metadata: pairs(&[("team", "red")]),
    };
    let group = GroupView { id: "group-id".to_owned(), name: "ops.eu".to_owned(), metadata: pairs(&[("floor", "3")]) };
    let entity = EntityView {
        id: "entity-id".to_owned(),
        name: "Alice".to_owned(),
        metadata: pairs(&[("color", "green")]),
        aliases: vec![alias],
    };
    TemplateContext { entity: Some(entity), groups: vec![group] }
}

fn with_scope(scope: &str) -> TemplateContext {
    let mut context = context();
    let entity = context.entity.as_mut().expect("made above");
    entity.metadata.insert("scope".to_owned(), scope.to_owned());
    context
}

#[test]
fn every_parameter() {
    for (parameter, value) in [
        ("identity.entity.id", Some("entity-id")),
        ("  identity.entity.name ", Some("Alice")),
        ("identity.entity.metadata.color", Some("green")),
        ("identity.entity.metadata.none", None),
        ("identity.entity.aliases.auth_userpass_1.id", Some("alias-id")),
        ("identity.entity.aliases.auth_userpass_1.name", Some("alice")),
        ("identity.entity.aliases.auth_userpass_1.metadata.scope", Some("blue")),
        ("identity.entity.aliases.auth_userpass_1.metadata.dotted.key", Some("d")),
        ("identity.entity.aliases.auth_userpass_1.custom_metadata.team", Some("red")),
        ("identity.entity.aliases.auth_other.name", None),
        ("identity.groups.ids.group-id.name", Some("ops.eu")),
        ("identity.groups.ids.group-id.metadata.floor", Some("3")),
        ("identity.groups.ids.other.name", None),
        ("identity.groups.names.ops.eu.id", Some("group-id")),
        ("identity.groups.names.ops.eu.metadata.floor", Some("3")),
        ("identity.groups.names.other.id", None),
        ("identity.entity", None),
        ("identity.foo", None),
        ("time.now", None),
        ("", None),
    ] {
        let acl = acl_for(&[&rule(&format!("x/{{{{{parameter}}}}}/y"), &["read"])], Some(&context()));
        let path = format!("x/{}/y", value.unwrap_or("any"));
        assert_eq!(allowed(&acl, Operation::Read, &path), value.is_some(), "{parameter}");
        assert_eq!(acl.rules.len(), usize::from(value.is_some()), "{parameter}");
    }
    let two = acl_for(&[&rule("{{identity.entity.id}}/{{identity.entity.name}}*", &["read"])], Some(&context()));
    assert!(allowed(&two, Operation::Read, "entity-id/Alice/z"));
}

#[test]
fn without_an_entity_grants_are_left_out() {
    let acl = acl_for(&[&(rule("x/{{identity.entity.id}}", &["read"]) + &rule("y", &["read"]))], None);
    assert!(allowed(&acl, Operation::Read, "y"));
    assert_eq!((acl.rules.len(), acl.warnings().len()), (1, 0));
}

#[test]
fn s04_a_value_is_one_opaque_segment() {
    let text = rule("secret/{{identity.entity.metadata.scope}}/*", &["read"]);
    for harmful in
        ["platform/x", "+", "*", "a*", "a+b", "..", "a..b", ".", "", "a\nb", "a\0", "\u{7f}", "\u{85}", "/", "x/", "/x"]
    {
        let acl = acl_for(&[&text], Some(&with_scope(harmful)));
        for path in [
            "secret/platform/x/y",
            "secret/other/y",
            "secret/a/y",
            "secret//y",
            "secret/y",
            &format!("secret/{harmful}/y"),
        ] {
            assert!(!allowed(&acl, Operation::Read, path), "{harmful:?} opens {path}");
        }
    }
    for harmless in ["a", "a,b", "a b", "a.b", "é", "{{identity.entity.id}}", "%2e%2e", "a=b", "\"", "{{x}}"] {
        let acl = acl_for(&[&text], Some(&with_scope(harmless)));
        assert!(allowed(&acl, Operation::Read, &format!("secret/{harmless}/y")), "{harmless:?}");
        assert!(!allowed(&acl, Operation::Read, "secret/other/y"), "{harmless:?}");
    }
}

#[test]
fn s05_a_deny_that_does_not_render_denies_everything() {
    let broad = rule("secret/*", &["read"]);
    let deny = rule("secret/{{identity.entity.metadata.scope}}/*", &["deny"]);
    let known = acl_for(&[&broad, &deny], Some(&with_scope("blue")));
    assert!(!allowed(&known, Operation::Read, "secret/blue/x"));
    assert!(allowed(&known, Operation::Read, "secret/red/x"));
    for context in [None, Some(context()), Some(with_scope("a/b")), Some(with_scope(""))] {
        let acl = acl_for(&[&broad, &deny, &rule("other", &["read"])], context.as_ref());
        for path in ["secret/blue/x", "secret/red/x", "other"] {
            assert!(!allowed(&acl, Operation::Read, path), "{path}");
            assert_eq!(acl.capabilities(path), ["deny"]);
        }
        assert!(!acl.touches("secret/"));
        assert_eq!(acl.resultant()["glob_paths"][""]["capabilities"][0], "deny");
        assert_eq!(
            acl.warnings(),
            [
                "policy \"p\", line 1: the path of a deny rule could not be rendered for this identity, so everything is denied"
            ]
        );
    }
    // The older spelling of a deny, and one that stands beside grants.
    for deny in
        ["path \"{{identity.x}}\" { policy=\"deny\" }", "path \"{{identity.x}}\" { capabilities=[\"read\", \"deny\"] }"]
    {
        assert!(!allowed(&acl_for(&[&broad, deny], Some(&context())), Operation::Read, "secret/x"));
    }
}

#[test]
fn s07_s08_which_alias_is_meant_is_never_guessed() {
    let mut context = context();
    let entity = context.entity.as_mut().expect("made above");
    let mut second = entity.aliases[0].clone();
    second.metadata = pairs(&[("scope", "red")]);
    second.mount_accessor = "auth_userpass_2".to_owned();
    entity.aliases.push(second);
    let reads = |context: &TemplateContext, accessor: &str, scope: &str| {
        let text = rule(&format!("secret/{{{{identity.entity.aliases.{accessor}.metadata.scope}}}}"), &["read"]);
        let acl: Acl = acl_for(&[&text], Some(context));
        allowed(&acl, Operation::Read, &format!("secret/{scope}"))
    };
    assert!(reads(&context, "auth_userpass_1", "blue") && !reads(&context, "auth_userpass_1", "red"));
    assert!(reads(&context, "auth_userpass_2", "red") && !reads(&context, "auth_userpass_2", "blue"));
    let entity = context.entity.as_mut().expect("made above");
    entity.aliases[1].mount_accessor = "auth_userpass_1".to_owned();
    assert!(!reads(&context, "auth_userpass_1", "blue") && !reads(&context, "auth_userpass_1", "red"));
}
