/* Folders, files, disks, clock: what can be seen without asking anybody. */
#include <errno.h>
#include <libgen.h>
#include <linux/magic.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/doctor.h"

#define DAY_MS      INT64_C(86400000)
#define RELEASED_MS INT64_C(1767225600000) /* 2026: nobody runs this program before it was written */
#define INODES_LOW  1000

static bool is_root(void)
{
    return geteuid() == 0;
}

/* ---- folders ---- */
static void check_folder(struct doctor *d, const char *path, mode_t not_wanted)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        doctor_tell(d, ILL_ERROR, "Start coffer serve once: it makes what is missing. If the folder was on another disk, mount it.",
                    "%s: %s.", path, strerror(errno));
        return;
    }
    if (!S_ISDIR(st.st_mode))
        doctor_tell(d, ILL_ERROR, "Move it away.", "%s is not a folder.", path);
    else if (st.st_uid != geteuid())
        doctor_tell(d, ILL_ERROR, "chown it to the user of the service.", "%s belongs to user %u, Coffer runs as %u.", path, st.st_uid, geteuid());
    else if (access(path, R_OK | W_OK | X_OK) != 0)
        doctor_tell(d, ILL_ERROR, "Mount the disk writable, or chmod u+rwx.", "%s cannot be written: %s.", path, strerror(errno));
    else if (st.st_mode & not_wanted)
        doctor_tell(d, ILL_WARNING, "chmod it to 0700 (the run folder to 0750).", "%s has mode %04o: others may look in.", path, st.st_mode & 07777);
}

void doctor_folders(struct doctor *d)
{
    const char *const below[] = {"", "/incoming", d->conf->disk_path[0] != '\0' ? "/lost" : "/s3-multipart"};
    for (size_t i = 0; i < sizeof below / sizeof *below; i++)
        check_folder(d, mem_printf(d->mem, "%s%s", d->conf->data_path, below[i]), 0077);
    if (d->conf->disk_path[0] != '\0')
        check_folder(d, d->conf->disk_path, 0077);
    if (access(d->conf->server_run, F_OK) == 0)
        check_folder(d, d->conf->server_run, 0027);
}

/* ---- secrets ---- */
static void check_secret(struct doctor *d, const char *path, mode_t not_wanted)
{
    struct stat st;
    if (path[0] == '\0' || stat(path, &st) != 0)
        return; /* nothing there, nothing to see */
    if (st.st_mode & not_wanted)
        doctor_tell(d, ILL_ERROR, "chmod it to 0600 (the configuration to 0640) and, where strangers have accounts here, make new keys.",
                    "%s has mode %04o: others may read it.", path, st.st_mode & 07777);
}

void doctor_secrets(struct doctor *d)
{
    const struct conf *conf = d->conf;
    static const char *const in_data[] = {"front.key", "nginx-params.conf", "first-password"};
    for (size_t i = 0; i < sizeof in_data / sizeof *in_data; i++)
        check_secret(d, mem_printf(d->mem, "%s/%s", conf->data_path, in_data[i]), 0077);
    check_secret(d, conf->sqlite_path, 0077);
    check_secret(d, mem_printf(d->mem, "%s-wal", conf->sqlite_path), 0077);
    check_secret(d, conf->web_certificate_key, 0007);
    for (size_t i = 0; i < conf_rows_n; i++) /* a configuration without secrets may be read by all */
        if ((conf_rows[i].flags & CONF_SECRET) && conf_source_of(conf, &conf_rows[i]) == CONF_FILE) {
            check_secret(d, conf->file, 0007);
            break;
        }
}

/* ---- disks ---- */
void doctor_one_disk(struct doctor *d)
{
    struct stat spool, blobs;
    const char *incoming = mem_printf(d->mem, "%s/incoming", d->conf->data_path);
    if (d->conf->disk_path[0] == '\0' || stat(incoming, &spool) != 0 || stat(d->conf->disk_path, &blobs) != 0)
        return;
    if (spool.st_dev != blobs.st_dev)
        doctor_tell(d, ILL_WARNING, "Put data.path and store.blobs on one file system.",
                    "%s and %s are different file systems: each upload is copied once more when it is complete.", incoming, d->conf->disk_path);
}

static const char *remote_name(long type)
{
    static const struct {
        unsigned long type;
        const char *name;
    } rows[] = {
        {NFS_SUPER_MAGIC, "NFS"}, {SMB_SUPER_MAGIC, "SMB"}, {0xff534d42, "CIFS"}, {0xfe534d42, "SMB"}, {FUSE_SUPER_MAGIC, "FUSE"},
        {V9FS_MAGIC, "9p"}, {0x00c36400, "Ceph"}, {AFS_SUPER_MAGIC, "AFS"}, {CODA_SUPER_MAGIC, "Coda"}, {NCP_SUPER_MAGIC, "NCP"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((unsigned long)type == rows[i].type)
            return rows[i].name;
    return NULL;
}

/* A file that is not there yet will be where its folder is. */
static const char *remote(struct doctor *d, const char *path)
{
    struct statfs fs;
    if (path[0] == '\0')
        return NULL;
    for (char *at = mem_str(d->mem, path); statfs(at, &fs) != 0; at = dirname(at))
        if (strcmp(at, "/") == 0 || strcmp(at, ".") == 0)
            return NULL;
    return remote_name(fs.f_type);
}

void doctor_local_disk(struct doctor *d)
{
    const char *records = remote(d, d->conf->sqlite_path), *blobs = remote(d, d->conf->disk_path);
    if (records != NULL)
        doctor_tell(d, ILL_FATAL, "Move the database to a local disk: store.metadata = sqlite:/PATH.",
                    "%s is on %s, where locks and shared memory do not work as SQLite needs them: the database would be damaged.",
                    d->conf->sqlite_path, records);
    if (blobs != NULL)
        doctor_tell(d, ILL_WARNING, "Keep contents on a local disk or in S3.",
                    "%s is on %s: whether what was acknowledged survives a power cut depends on that server.", d->conf->disk_path, blobs);
}

static void check_space(struct doctor *d, const char *path)
{
    struct statvfs v;
    if (path[0] == '\0' || statvfs(path, &v) != 0)
        return;
    uint64_t all = (uint64_t)v.f_blocks * v.f_frsize, rest = (uint64_t)v.f_bavail * v.f_frsize;
    uint64_t reserve = (uint64_t)d->conf->data_reserve < all / 50 ? (uint64_t)d->conf->data_reserve : all / 50;
    if (rest <= reserve)
        doctor_tell(d, ILL_ERROR, "Make room, or lower data.reserve.", "%s has %llu MB free, not more than the reserve: uploads are refused.", path,
                    (unsigned long long)(rest >> 20));
    else if (rest < 2 * reserve)
        doctor_tell(d, ILL_WARNING, "Make room soon.", "%s has %llu MB free; below %llu MB uploads are refused.", path,
                    (unsigned long long)(rest >> 20), (unsigned long long)(reserve >> 20));
    if (v.f_files > 0 && v.f_favail < INODES_LOW)
        doctor_tell(d, ILL_ERROR, "Remove files, or make the file system anew with more inodes.", "%s has room for %llu more files.", path,
                    (unsigned long long)v.f_favail);
}

void doctor_free_space(struct doctor *d)
{
    check_space(d, d->conf->data_path);
    if (d->conf->disk_path[0] != '\0')
        check_space(d, d->conf->disk_path);
}

/* ---- clock ---- */
void doctor_clock(struct doctor *d)
{
    int64_t now = clock_now_ms(&clock_real);
    struct stat st;
    struct timex t = {.modes = 0};
    static const char cure[] = "Set the clock, and have it kept (systemd-timesyncd, chrony).";
    if (now < RELEASED_MS)
        doctor_tell(d, ILL_ERROR, cure, "The clock is years behind.");
    else if (d->conf->sqlite_path[0] != '\0' && stat(d->conf->sqlite_path, &st) == 0 && (int64_t)st.st_mtim.tv_sec * 1000 > now + DAY_MS)
        doctor_tell(d, ILL_ERROR, cure, "The database was last written in the future: the clock has gone back by more than a day.");
    else if (adjtimex(&t) == TIME_ERROR)
        doctor_tell(d, ILL_NOTE, cure, "The kernel does not know the clock to be synchronised.");
}

/* ---- who runs it ---- */
void doctor_user(struct doctor *d)
{
    static const char *const shared[] = {"www-data", "nginx", "apache", "http", "httpd", "nobody", "daemon"};
    struct passwd *pw = getpwuid(geteuid());
    for (size_t i = 0; pw != NULL && i < sizeof shared / sizeof *shared; i++)
        if (strcmp(pw->pw_name, shared[i]) == 0)
            doctor_tell(d, ILL_WARNING, "Give Coffer a user and an nginx of its own: coffer.service and coffer-web.service.",
                        "Coffer runs as %s: every other program of that user, each PHP page on this machine, can read all files and the database.",
                        pw->pw_name);
    if (is_root())
        doctor_tell(d, ILL_NOTE, "chown the data folder to a user of its own.", "Coffer runs as root, because root owns the data folder.");
}
