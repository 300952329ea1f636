//! The server without the command line.
fn main() -> std::process::ExitCode {
    let config: Vec<std::path::PathBuf> = std::env::args_os().skip(1).map(Into::into).collect();
    server::run(server::Options {
        dev: config.is_empty(),
        config,
        dev_no_store_token: true,
        dev_root_token_id: Some("root".into()),
        ..Default::default()
    })
}
