//! What the host and the process look like, from the kernel of the system.

use engine::Timestamp;
use serde_json::{Value, json};
use std::fs;

/// The host's name.
pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// `sys/host-info`.
pub fn host_info(now: Timestamp) -> Value {
    let names = rustix::system::uname();
    let memory = rustix::system::sysinfo();
    let unit = u64::from(memory.mem_unit);
    let total = memory.totalram * unit;
    let free = memory.freeram * unit;
    let available = meminfo("MemAvailable:").unwrap_or(free);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    json!({
        "timestamp": now.to_rfc3339(),
        "host": {
            "hostname": hostname(),
            "os": names.sysname().to_string_lossy().to_lowercase(),
            "kernelVersion": names.release().to_string_lossy(),
            "kernelArch": names.machine().to_string_lossy(),
            "uptime": memory.uptime,
            "bootTime": now.seconds().saturating_sub(memory.uptime),
            "procs": memory.procs,
        },
        "memory": {
            "total": total,
            "free": free,
            "available": available,
            "used": total.saturating_sub(available),
            "swapTotal": memory.totalswap * unit,
            "swapFree": memory.freeswap * unit,
        },
        "cpu": (0..cores).map(|core| json!({ "cpu": core })).collect::<Vec<_>>(),
        "disk": disk("/").into_iter().collect::<Vec<_>>(),
    })
}

fn disk(path: &str) -> Option<Value> {
    let stat = rustix::fs::statvfs(path).ok()?;
    let (total, free) = (stat.f_blocks * stat.f_frsize, stat.f_bavail * stat.f_frsize);
    Some(json!({
        "path": path,
        "total": total,
        "free": free,
        "used": (stat.f_blocks - stat.f_bfree) * stat.f_frsize,
        "inodesTotal": stat.f_files,
        "inodesFree": stat.f_ffree,
    }))
}

fn meminfo(field: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    kilobytes(&text, field)
}

fn kilobytes(text: &str, field: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(field))?;
    rest.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Resident memory of this process in bytes.
pub fn resident_bytes() -> Option<u64> {
    kilobytes(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// Descriptors that this process has open.
pub fn open_descriptors() -> Option<u64> {
    fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as u64)
}
