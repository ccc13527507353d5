//! What a text says of itself by the grammar of a standard.

/// Whether it is the field name of an HTTP header, alone or with its value (RFC 9110, 5.1).
#[must_use]
pub fn is_http_field(text: &[u8]) -> bool {
    let Some(colon) = text.iter().position(|byte| *byte == b':') else { return false };
    let (name, rest) = text.split_at(colon);
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    name.len() > 1 && name.iter().all(is_token) && matches!(rest.get(1), None | Some(b' '))
}

/// Whether it is a `User-Agent`: a product with its version, and a comment (RFC 9110, 10.1.5).
#[must_use]
pub fn is_user_agent(text: &[u8]) -> bool {
    let Some(slash) = text.iter().position(|byte| *byte == b'/') else { return false };
    let (product, rest) = text.split_at(slash);
    let version = rest.get(1..).unwrap_or_default();
    let end = version.iter().position(|byte| *byte == b' ').unwrap_or(version.len());
    let (version, comment) = version.split_at(end);
    !product.is_empty()
        && product.iter().all(u8::is_ascii_alphanumeric)
        && version.first().is_some_and(u8::is_ascii_digit)
        && comment.starts_with(b" (")
}

/// Whether it names the resolver's configuration, or a server in it (resolv.conf(5)).
#[must_use]
pub fn is_resolver_configuration(text: &[u8]) -> bool {
    text == b"/etc/resolv.conf" || text.trim_ascii_end() == b"nameserver"
}

/// Whether it is the path of a watchdog device (Linux: watchdog-api).
#[must_use]
pub fn is_watchdog_device(text: &[u8]) -> bool {
    let name = text.strip_prefix(b"/dev/").map(|path| {
        path.iter().rposition(|byte| *byte == b'/').map_or(path, |slash| &path[slash + 1..])
    });
    name.is_some_and(|name| {
        let name = name.to_ascii_lowercase();
        let end = name.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
        name[..end].ends_with(b"watchdog")
    })
}

/// Whether it is a path in the file system of processes (proc(5)).
#[must_use]
pub fn is_process_path(text: &[u8]) -> bool {
    text == b"/proc" || text.starts_with(b"/proc/")
}

/// Whether it is BusyBox's answer to a command that it does not have, behind the command's name.
#[must_use]
pub fn is_missing_applet(text: &[u8]) -> bool {
    text.strip_suffix(b": applet not found").is_some_and(is_made_up_name)
}

/// Whether it is what gets a shell on a device: the words that open one, a command that BusyBox does
/// not have, or what is common to the refusals of login(1).
#[must_use]
pub fn is_shell_dialogue(text: &[u8]) -> bool {
    [&b"shell"[..], b"enable", b"system", b"sh", b"linuxshell", b"ncorrect"].contains(&text)
        || text.strip_prefix(b"/bin/busybox ").is_some_and(is_made_up_name)
}

/// Whether no program is called so: capital letters and digits.
fn is_made_up_name(name: &[u8]) -> bool {
    name.len() > 2 && name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialogue_asks_for_what_no_shell_has() {
        assert!(is_missing_applet(b"A5YGGS: applet not found"));
        assert!(!is_missing_applet(b"wget: applet not found") && !is_missing_applet(b"A5YGGS"));
        for text in ["shell", "sh", "/bin/busybox A5YGGS", "ncorrect"] {
            assert!(is_shell_dialogue(text.as_bytes()), "{text}");
        }
        for text in ["/bin/busybox ps", "/bin/busybox kill -9 ", "shells", "/bin/busybox", "bash"] {
            assert!(!is_shell_dialogue(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn fields_have_a_name_and_a_colon() {
        for text in ["Connection: keep-alive", "set-cookie:", "server: x"] {
            assert!(is_http_field(text.as_bytes()), "{text}");
        }
        for text in
            ["https://www.example.com/", "REPORT %s:%s", "chunked", ":", "a: b", "setCookie('"]
        {
            assert!(!is_http_field(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn user_agents_have_a_product_a_version_and_a_comment() {
        for text in ["Mozilla/5.0 (X11; Linux x86_64)", "Opera/9.80 (X11) Presto/2.12"] {
            assert!(is_user_agent(text.as_bytes()), "{text}");
        }
        for text in ["/proc/1 (x)", "HTTP/1.1", "text/html (x)", "Mozilla", "/5 ("] {
            assert!(!is_user_agent(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn system_names_are_whole_names() {
        assert!(is_resolver_configuration(b"nameserver "));
        assert!(!is_resolver_configuration(b"nameservers"));
        for text in
            ["/dev/watchdog", "/dev/misc/watchdog", "/dev/FTWDT101_watchdog", "/dev/watchdog0"]
        {
            assert!(is_watchdog_device(text.as_bytes()), "{text}");
        }
        for text in ["watchdog", "/dev/watchdogs.sh", "/tmp/watchdog", "/dev/", "/dev/0"] {
            assert!(!is_watchdog_device(text.as_bytes()), "{text}");
        }
        assert!(is_process_path(b"/proc/net/tcp") && !is_process_path(b"/process"));
    }
}
