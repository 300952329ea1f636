//! What becomes of names on a mount when the mount goes.

use super::record::Link;
use super::{entities, groups, keys};
use engine::{Fault, Page, Tx};

/// Aliases looked at in one step.
const PAGE_MAX: usize = 256;

/// Removes the aliases and group aliases of a mount. Entities and groups stay; who was in an external group through an
/// alias of the mount is no longer in it.
pub fn mount_removed(tx: &mut Tx, namespace: &str, mount_accessor: &str) -> Result<(), Fault> {
    for remove in [remove_aliases, remove_group_aliases] {
        let mut page = Page { after: String::new(), limit: Some(PAGE_MAX) };
        while let Some(last) = remove(tx, namespace, mount_accessor, &page)? {
            page.after = last;
        }
    }
    Ok(())
}

/// Removes a page of entity aliases; returns the last name of the page, if there was any.
fn remove_aliases(tx: &mut Tx, namespace: &str, accessor: &str, page: &Page) -> Result<Option<String>, Fault> {
    let prefix = keys::alias_factors(namespace, accessor);
    let mut found = tx.scan(&prefix, page)?;
    for name in &found {
        let key = format!("{prefix}{name}");
        let link: Option<Link> = tx.take(&key)?;
        let Some(link) = link else { continue };
        let Some(mut entity) = entities::load(tx, namespace, &link.id)? else { continue };
        let (gone, kept): (Vec<_>, Vec<_>) =
            entity.aliases.into_iter().partition(|alias| alias.mount_accessor == accessor);
        for alias in &gone {
            entities::unlink_alias(tx, namespace, alias)?;
        }
        entity.aliases = kept;
        entities::save(tx, namespace, &entity)?;
    }
    Ok(found.pop())
}

/// Removes a page of group aliases; returns the last name of the page, if there was any.
fn remove_group_aliases(tx: &mut Tx, namespace: &str, accessor: &str, page: &Page) -> Result<Option<String>, Fault> {
    let prefix = keys::group_alias_factors(namespace, accessor);
    let mut found = tx.scan(&prefix, page)?;
    for name in &found {
        let key = format!("{prefix}{name}");
        let link: Option<Link> = tx.take(&key)?;
        let Some(link) = link else { continue };
        let Some(mut group) = groups::load(tx, namespace, &link.id)? else { continue };
        if let Some(alias) = group.alias.take_if(|alias| alias.mount_accessor == accessor) {
            groups::unlink_alias(tx, namespace, &alias)?;
            groups::remove_all_members(tx, namespace, &group.id)?;
            groups::save(tx, namespace, &group)?;
        }
    }
    Ok(found.pop())
}
