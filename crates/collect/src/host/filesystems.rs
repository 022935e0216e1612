//! Which mounted file systems are real, and how full they are.

use std::collections::HashMap;
use std::path::PathBuf;

use procfs::process::{MountInfo, MountInfos};

use crate::collector::CollectError;
use crate::proc_root::ProcRoot;

/// How full a file system is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filesystem {
    pub(crate) mountpoint: String,
    pub(crate) device: String,
    pub(crate) fstype: String,
    pub(crate) size_bytes: u64,
    /// What users other than root can still write.
    pub(crate) available_bytes: u64,
    /// The share that is in use, of what users can ever have: as `df` counts it.
    pub(crate) usage_ratio: f64,
}

/// The real file systems, by mount point. One that cannot be asked is left out: its mount may be
/// hidden from us, and the others still count.
pub(crate) fn filesystems(root: &ProcRoot) -> Result<Vec<Filesystem>, CollectError> {
    let mut mounts: MountInfos = root.read("self/mountinfo")?;
    // Containers have single files of the host's disk mounted: `/etc/hosts`.
    mounts.0.retain(|mount| !mount.mount_point.is_file());
    Ok(real_mounts(mounts).into_iter().filter_map(ask).collect())
}

/// A mount to be asked.
#[derive(Debug, PartialEq)]
struct Mount {
    mountpoint: PathBuf,
    device: String,
    fstype: String,
}

/// File systems on a device of this host, each once. A bind mount shows the same device a second
/// time: the mount of the device's root with the shortest path is kept. A container's own root is an
/// overlay, and is all that there is to see of its disk. Network file systems are left out: asking one
/// whose server is gone can hang.
fn real_mounts(mounts: MountInfos) -> Vec<Mount> {
    let mut by_device: HashMap<String, MountInfo> = HashMap::new();
    for mount in mounts.0.into_iter().filter(is_real) {
        let rank = |mount: &MountInfo| (mount.root != "/", mount.mount_point.as_os_str().len());
        match by_device.get(&mount.majmin) {
            Some(other) if rank(other) <= rank(&mount) => {}
            _ => {
                by_device.insert(mount.majmin.clone(), mount);
            }
        }
    }
    let mut mounts: Vec<Mount> = by_device
        .into_values()
        .map(|mount| Mount {
            device: mount.mount_source.unwrap_or_default(),
            mountpoint: mount.mount_point,
            fstype: mount.fs_type,
        })
        .collect();
    mounts.sort_by(|a, b| a.mountpoint.cmp(&b.mountpoint));
    mounts
}

fn is_real(mount: &MountInfo) -> bool {
    /// Images that are full by nature.
    const ALWAYS_FULL: [&str; 3] = ["squashfs", "iso9660", "erofs"];
    let fstype = mount.fs_type.as_str();
    let on_a_device = mount.mount_source.as_deref().is_some_and(|source| source.starts_with("/dev/"));
    let containers_root = fstype == "overlay" && mount.mount_point.as_os_str() == "/";
    (on_a_device && !ALWAYS_FULL.contains(&fstype)) || fstype == "zfs" || containers_root
}

fn ask(mount: Mount) -> Option<Filesystem> {
    let asked = rustix::fs::statvfs(&mount.mountpoint).ok()?;
    if asked.f_blocks == 0 {
        return None;
    }
    let used = asked.f_blocks.saturating_sub(asked.f_bfree);
    let usable = used + asked.f_bavail;
    Some(Filesystem {
        mountpoint: mount.mountpoint.to_string_lossy().into_owned(),
        device: mount.device,
        fstype: mount.fstype,
        size_bytes: asked.f_blocks * asked.f_frsize,
        available_bytes: asked.f_bavail * asked.f_frsize,
        usage_ratio: if usable == 0 { 1.0 } else { used as f64 / usable as f64 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use procfs::prelude::FromRead;

    #[test]
    fn each_real_file_system_is_found_once() {
        let mountinfo = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw
25 24 0:23 / /dev/shm rw,relatime - tmpfs tmpfs rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
50 27 254:0 /srv /mnt/bind rw,relatime - ext4 /dev/vda rw
51 27 254:16 /deep /a rw,relatime - xfs /dev/vdb rw
52 27 254:16 / /mnt/data rw,relatime - xfs /dev/vdb rw
53 27 7:1 / /snap/core ro,relatime - squashfs /dev/loop1 ro
54 27 0:50 / /mnt/nfs rw,relatime - nfs4 server:/export rw
55 27 0:51 / /var/lib/docker/overlay2/x/merged rw,relatime - overlay overlay rw
56 27 0:52 / /tank rw,relatime - zfs tank rw
";
        let mounts = real_mounts(MountInfos::from_read(mountinfo.as_bytes()).unwrap());
        let shown: Vec<(&str, &str)> =
            mounts.iter().map(|mount| (mount.mountpoint.to_str().unwrap(), mount.device.as_str())).collect();
        assert_eq!(shown, [("/", "/dev/vda"), ("/mnt/data", "/dev/vdb"), ("/tank", "tank")]);
    }

    #[test]
    fn in_a_container_the_root_is_an_overlay() {
        let mountinfo = "600 500 0:100 / / rw,relatime - overlay overlay rw\n";
        let mounts = real_mounts(MountInfos::from_read(mountinfo.as_bytes()).unwrap());
        assert_eq!(mounts.len(), 1);
    }

    #[test]
    fn a_file_system_is_as_full_as_df_says() {
        let mount = Mount { mountpoint: "/".into(), device: "/dev/x".to_owned(), fstype: "ext4".to_owned() };
        let filesystem = ask(mount).unwrap();
        assert!(filesystem.size_bytes >= filesystem.available_bytes);
        assert!((0.0..=1.0).contains(&filesystem.usage_ratio), "{filesystem:?}");
    }
}
