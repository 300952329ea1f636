use super::{Verdict, cases};

#[test]
fn reads_each_verdict() {
    let xml = r#"<testsuite name="pytest"><testcase classname="a.B" name="one" time="0.1" />
        <testcase classname="a.B" name="two" time="0.1"><failure message="1 &lt; 2&#10;x">trace</failure></testcase>
        <testcase classname="a.B" name="three"><skipped type="pytest.skip" message="no" /></testcase>
        <testcase classname="a.B" name="four"><error message="setup">trace</error></testcase></testsuite>"#;
    let read: Vec<(String, Verdict, String)> =
        cases(xml).into_iter().map(|case| (case.id, case.verdict, case.message)).collect();
    let expected = [
        ("a.B::one", Verdict::Passed, ""),
        ("a.B::two", Verdict::Failed, "1 < 2\nx"),
        ("a.B::three", Verdict::Skipped, ""),
        ("a.B::four", Verdict::Failed, "setup"),
    ];
    assert_eq!(read, expected.map(|(id, verdict, message)| (id.to_owned(), verdict, message.to_owned())));
}
