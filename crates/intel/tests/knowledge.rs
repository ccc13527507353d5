//! The tables of knowledge: what they say, and what they refuse.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use miyaburi_intel::{Knowledge, KnowledgeError, RowProblem, Table};
use miyaburi_model::{Confidence, Exploit, HexBytes};

const CREDENTIALS: &str = "user,password,vendor,product,kind,confidence,sources\n";
const EXPLOITS: &str = "method,path,port,vendor,product,kind,cve,confidence,sources\n";

fn refused(table: Table, text: &str) -> KnowledgeError {
    Knowledge::builtin().unwrap().add(table, text.as_bytes()).unwrap_err()
}

fn request(method: &str, path: &str, port: Option<u16>) -> Exploit {
    Exploit {
        port,
        method: Some(method.to_owned()),
        path: Some(path.to_owned()),
        body_hex: HexBytes::default(),
        loader: None,
        evidence: Vec::new(),
    }
}

fn products(exploit: &Exploit) -> Vec<String> {
    let knowledge = Knowledge::builtin().unwrap();
    knowledge.of_exploit(exploit).map(|row| format!("{} {}", row.vendor, row.product)).collect()
}

#[test]
fn the_tables_that_are_compiled_in_keep_their_rules() {
    let knowledge = Knowledge::builtin().unwrap();
    let pairs: BTreeSet<_> =
        knowledge.credentials().iter().map(|row| (&row.user, &row.password)).collect();
    // The list that Mirai was published with has 60 different pairs; three more are of others.
    assert_eq!(pairs.len(), 63);
    let rows = knowledge.credentials().iter().flat_map(|row| &row.sources);
    let used: BTreeSet<&String> =
        rows.chain(knowledge.exploits().iter().flat_map(|row| &row.sources)).collect();
    for id in used {
        let source = knowledge.source(id).unwrap();
        assert!(source.url.starts_with("https://"), "{id}");
    }
}

#[test]
fn a_pair_is_of_every_vendor_that_shares_it() {
    let knowledge = Knowledge::builtin().unwrap();
    let of = |user, password| -> Vec<(String, Confidence)> {
        let rows = knowledge.of_credential(user, password);
        rows.map(|row| (row.vendor.clone(), row.confidence)).collect()
    };
    assert_eq!(of("root", "xc3511"), [("Xiongmai".to_owned(), Confidence::High)]);
    assert_eq!(of("root", "zlxx."), [(String::new(), Confidence::Low)]);
    assert!(of("admin", "admin").len() > 5);
    assert!(of("admin", "admin").iter().all(|(_, confidence)| *confidence == Confidence::Low));
    for (user, password) in [("ROOT", "xc3511"), ("root", "xc3511 "), ("xc3511", "root")] {
        assert!(of(user, password).is_empty(), "{user} {password}");
    }
}

#[test]
fn a_request_is_known_by_method_path_and_port() {
    let huawei = request("POST", "/ctrlt/DeviceUpgrade_1", Some(37215));
    assert_eq!(products(&huawei), ["Huawei HG532"]);
    let gpon = request("POST", "/GponForm/diag_Form?images/", Some(8080));
    assert_eq!(products(&gpon), ["Dasan GPON"]);
    let tp_link = request("GET", "/cgi-bin/luci/;stok=/locale?form=country", None);
    assert_eq!(products(&tp_link), ["TP-Link Archer AX21"]);
}

#[test]
fn other_requests_are_not_known() {
    for other in [
        request("GET", "/ctrlt/DeviceUpgrade_1", Some(37215)),
        request("POST", "/ctrlt/DeviceUpgrade_1", Some(80)),
        request("POST", "/ctrlt/DeviceUpgrade_1", None),
        request("POST", "/index.html", Some(37215)),
        request("GET", "/cgi-bin/luci/admin", None),
    ] {
        assert!(products(&other).is_empty(), "{other:?}");
    }
    let no_http = Exploit { method: None, path: None, ..request("", "", Some(37215)) };
    assert!(products(&no_http).is_empty());
}

#[test]
fn rows_of_users_count_beside_the_others() {
    let mut knowledge = Knowledge::builtin().unwrap();
    let source = "id,title,url,licence\nown,Own notes,https://example.org/,own\n";
    knowledge.add(Table::Sources, source.as_bytes()).unwrap();
    let row = format!("{CREDENTIALS}root,fixture,Example,X1,camera,high,own\n");
    knowledge.add(Table::Credentials, row.as_bytes()).unwrap();
    let vendors: Vec<_> =
        knowledge.of_credential("root", "fixture").map(|row| row.vendor.as_str()).collect();
    assert_eq!(vendors, ["Example"]);
}

#[test]
fn repeated_and_contradictory_rows_are_refused() {
    let mut again = Knowledge::builtin().unwrap();
    let row = format!("{CREDENTIALS}root,new,Example,X1,camera,high,defaultcreds\n");
    again.add(Table::Credentials, row.as_bytes()).unwrap();
    let error = again.add(Table::Credentials, row.as_bytes()).unwrap_err();
    assert_eq!(error.problem, RowProblem::Repeated);
    let other = format!("{CREDENTIALS}root,new,EXAMPLE,x1,dvr,high,defaultcreds\n");
    let error = again.add(Table::Credentials, other.as_bytes()).unwrap_err();
    assert!(matches!(error.problem, RowProblem::Contradicted(_)), "{error}");
    let without = format!("{CREDENTIALS}root,new,,,,low,defaultcreds\n");
    let error = again.add(Table::Credentials, without.as_bytes()).unwrap_err();
    assert!(matches!(error.problem, RowProblem::Contradicted(_)), "{error}");
    let of_two = format!("{EXPLOITS}POST,/other,,Example,X1,,CVE-2017-17215,low,defaultcreds\n");
    let error = refused(Table::Exploits, &of_two);
    assert!(matches!(error.problem, RowProblem::Contradicted(_)), "{error}");
}

#[test]
fn rows_without_a_source_or_out_of_shape_are_refused() {
    let credentials = |row: &str| refused(Table::Credentials, &format!("{CREDENTIALS}{row}\n"));
    let exploits = |row: &str| refused(Table::Exploits, &format!("{EXPLOITS}{row}\n"));
    assert_eq!(credentials("a,b,c,d,e,low,").problem, RowProblem::NoSource);
    let unknown = RowProblem::UnknownSource("nobody".to_owned());
    assert_eq!(credentials("a,b,c,d,e,low,nobody").problem, unknown);
    assert!(matches!(credentials("a,b,c,d,e,sure,defaultcreds").problem, RowProblem::Malformed(_)));
    assert!(matches!(credentials("a,b").problem, RowProblem::Malformed(_)));
    assert_eq!(credentials("a,b").line, 2);
    let error = exploits("GET,/x,70000,c,d,e,,low,defaultcreds");
    assert!(matches!(error.problem, RowProblem::Malformed(_)), "{error}");
    let error = exploits("GET,/x,,c,d,e,CVE-1,low,defaultcreds");
    assert_eq!(error.problem, RowProblem::NoCve("CVE-1".to_owned()));
    let error = exploits("GET,*,,c,d,e,,low,defaultcreds");
    assert_eq!(error.problem, RowProblem::Empty("path"));
    let error = refused(Table::Sources, "id,title,url,licence\nx,y,http://example.org/,z\n");
    assert_eq!(error.problem, RowProblem::Empty("url"));
    let error = refused(Table::Sources, "name\nx\n");
    assert!(matches!(error.problem, RowProblem::Malformed(_)), "{error}");
}
