//! Who is targeted, and which of one's own devices are next.
#![allow(clippy::unwrap_used)]

use miyaburi_intel::{
    Cause, Knowledge, Observed, Survey, Targets, Urgency, parse_inventory, risks,
};
use miyaburi_model::{
    Cipher, Credential, Credentials, Evidence, Exploit, HexBytes, Probe, Report, Sample, Scan,
    Verdict,
};
use proptest::prelude::*;

/// A report of file `number`, whose credentials have the hash `hash`.
fn report(number: u8, hash: Option<u8>, pairs: &[(&str, &str)], ports: &[u16]) -> Report {
    let sample = Sample { sha256: Some(HexBytes(vec![number])), ..Sample::default() };
    let mut report = Report::new(sample, Verdict::Config);
    let entries = pairs.iter().map(|(user, password)| Credential {
        user: (*user).to_owned(),
        password: (*password).to_owned(),
        weight: 1,
        evidence: vec![Evidence::new(0x1000, None, "")],
    });
    report.credentials = Some(Credentials {
        effective_key: None,
        cipher: Cipher::Xor,
        entries: entries.collect(),
        sha256: hash.map(|byte| HexBytes(vec![byte])),
    });
    let probes = ports.iter().map(|&port| Probe { port, weight: None }).collect();
    report.scan = Some(Scan { probes, ..Scan::default() });
    report
}

fn huawei() -> Exploit {
    Exploit {
        port: Some(37215),
        method: Some("POST".to_owned()),
        path: Some("/ctrlt/DeviceUpgrade_1".to_owned()),
        body_hex: HexBytes::default(),
        loader: None,
        evidence: vec![Evidence::new(0x2000, None, "")],
    }
}

fn targets(reports: &[Report], observed: &str) -> Targets {
    let knowledge = Knowledge::builtin().unwrap();
    let csv = format!("sha256,first_seen,last_seen\n{observed}");
    let observed = Observed::parse(csv.as_bytes()).unwrap();
    let mut survey = Survey::new(&knowledge, &observed);
    reports.iter().for_each(|report| survey.add(report));
    survey.finish()
}

#[test]
fn equal_hashes_are_one_configuration_however_many_files_there_are() {
    let reports = [
        report(1, Some(7), &[("root", "vizxv")], &[23]),
        report(2, Some(7), &[("root", "vizxv")], &[23]),
        report(3, Some(8), &[("root", "vizxv"), ("root", "xc3511")], &[23, 2323]),
        report(4, None, &[("root", "xc3511"), ("root", "xc3511")], &[]),
        report(5, None, &[("root", "xc3511")], &[]),
        Report::new(Sample::default(), Verdict::NoConfig),
    ];
    let observed = "01,2026-01-02,2026-01-03\n03,2026-01-01,2026-01-01\n";
    let targets = targets(&reports, observed);
    assert_eq!((targets.reports, targets.configurations), (6, 4));
    let counts: Vec<_> = targets
        .targets
        .iter()
        .map(|target| (target.vendor.as_str(), target.tally.configurations, target.tally.files))
        .collect();
    assert_eq!(counts, [("Xiongmai", 3, 3), ("Dahua", 2, 3)]);
    let dahua = &targets.targets[1];
    let seen = dahua.tally.seen.as_ref().unwrap();
    assert_eq!((seen.first.as_str(), seen.last.as_str()), ("2026-01-01", "2026-01-03"));
    let ports: Vec<_> =
        targets.ports.iter().map(|port| (port.port, port.tally.configurations)).collect();
    assert_eq!(ports, [(23, 2), (2323, 1)]);
}

#[test]
fn a_file_that_has_both_login_and_exploit_counts_once() {
    let mut both = report(1, Some(1), &[("admin", "admin")], &[23]);
    both.scan.as_mut().unwrap().exploits.push(huawei());
    let targets = targets(&[both], "");
    // admin/admin is of Huawei, whatever the product; the exploit of the HG532.
    let huawei: Vec<_> =
        targets.targets.iter().filter(|target| target.vendor == "Huawei").collect();
    assert_eq!(huawei.len(), 2);
    assert!(huawei.iter().all(|target| target.tally.files == 1));
    let place = &huawei[1].causes[0].found_at[0];
    assert_eq!(place.sha256, Some(HexBytes(vec![1])));
}

#[test]
fn what_no_row_knows_is_listed_as_such() {
    let mut unknown = report(1, Some(1), &[("root", "made up")], &[]);
    let path = Some("/made/up".to_owned());
    unknown.scan.as_mut().unwrap().exploits.push(Exploit { path, ..huawei() });
    let targets = targets(&[unknown], "");
    assert!(targets.targets.is_empty());
    let causes: Vec<_> = targets.unexplained.iter().map(|item| &item.cause).collect();
    assert!(matches!(causes[0], Cause::Exploit { path, .. } if path == "/made/up"));
    assert!(matches!(causes[1], Cause::Credential { password, .. } if password == "made up"));
}

fn urgencies(reports: &[Report], inventory: &str) -> Vec<(String, Urgency)> {
    let header = "address,vendor,model,firmware,open_ports,login_changed\n";
    let devices = parse_inventory(format!("{header}{inventory}").as_bytes()).unwrap();
    let risks = risks(&targets(reports, ""), &devices);
    risks.into_iter().map(|risk| (risk.device.address, risk.urgency)).collect()
}

#[test]
fn what_is_open_and_unchanged_comes_first() {
    let reports = [report(1, Some(1), &[("root", "vizxv")], &[23])];
    let inventory = "unknown-ports,DAHUA,IPC,,,no\nopen,Dahua,IPC,,23 80,no\nunknown-login,Dahua,IPC,,23,\nchanged,Dahua,IPC,,23,yes\nclosed,Dahua,IPC,,80,no\nother,Axis,M1,,23,no\nquiet,Axis,M1,,none,no\n";
    let expected = [
        ("open", Urgency::Now),
        ("unknown-ports", Urgency::Soon),
        ("unknown-login", Urgency::Soon),
        ("changed", Urgency::Check),
        ("other", Urgency::Check),
    ];
    assert_eq!(
        urgencies(&reports, inventory),
        expected.map(|(name, urgency)| (name.to_owned(), urgency))
    );
}

#[test]
fn an_exploit_endangers_its_product_alone() {
    let mut exploiting = report(1, Some(1), &[], &[]);
    exploiting.scan.as_mut().unwrap().exploits.push(huawei());
    let inventory = "a,Huawei,HG532,1.0,37215,yes\nb,Huawei,EchoLife HG532,,,yes\nc,Huawei,HG532e,,37215,yes\nd,Huawei,HG8245,,37215,yes\ne,ZTE,HG532,,37215,yes\nf,Huawei,HG532,,80,yes\n";
    let expected = [("a", Urgency::Now), ("c", Urgency::Now), ("b", Urgency::Soon)];
    assert_eq!(
        urgencies(&[exploiting], inventory),
        expected.map(|(name, urgency)| (name.to_owned(), urgency))
    );
}

#[test]
fn actions_name_ports_versions_and_notices() {
    let mut exploiting = report(1, Some(1), &[], &[23]);
    exploiting.scan.as_mut().unwrap().exploits.push(huawei());
    let csv =
        "address,vendor,model,firmware,open_ports,login_changed\na,Huawei,HG532,V100,37215,no\n";
    let devices = parse_inventory(csv.as_bytes()).unwrap();
    let risks = risks(&targets(&[exploiting], ""), &devices);
    let expected = [
        "close TCP 37215 to the outside",
        "compare firmware V100 with the vendor's notice on CVE-2017-17215; replace the device when there is no fix",
    ];
    assert_eq!(risks[0].actions, expected);
    assert_eq!(risks[0].dangers[0].sources[0], "checkpoint-2017");
}

proptest! {
    /// What a report calls a login or a path is data: it names no device, is kept as it is and sorts
    /// nobody into the inventory.
    #[test]
    fn texts_of_reports_stay_texts(user in any::<String>(), password in any::<String>(), path in any::<String>()) {
        let mut hostile = report(1, Some(1), &[(&user, &format!("{password}\u{1}"))], &[]);
        let path = format!("{path}\u{1}");
        hostile.scan.as_mut().unwrap().exploits.push(Exploit { path: Some(path.clone()), ..huawei() });
        let targets = targets(std::slice::from_ref(&hostile), "");
        prop_assert!(targets.targets.is_empty());
        let json = serde_json::to_value(&targets).unwrap();
        let logins: Vec<_> =
            json["unexplained"].as_array().unwrap().iter().filter(|it| it["by"] == "credential").collect();
        prop_assert_eq!(logins.len(), 1);
        prop_assert_eq!(logins[0]["user"].as_str(), Some(user.as_str()));
        let found = json["unexplained"].as_array().unwrap().iter().find(|it| it["by"] == "exploit");
        prop_assert_eq!(found.and_then(|it| it["path"].as_str()), Some(path.as_str()));
        prop_assert!(urgencies(&[hostile], "a,Huawei,HG532,1.0,37215,yes\n").is_empty());
    }
}
