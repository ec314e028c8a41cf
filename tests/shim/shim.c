/* Wraps calls of the C library (LD_PRELOAD): traces, in one sequence, the program's changes to the
 * files of one folder and its answers, and fails a call on request.
 *
 * SHIM_FOLDER  the folder that is watched
 * SHIM_TRACE   the file that the trace is appended to; a second program continues it
 * SHIM_FAIL    op:errno:n or op:errno:n:sticky: the n-th call of this kind in the folder fails, or
 *              every call from the n-th on; with errno 0, a write writes half of its bytes.
 *              op: pwrite fsync ftruncate open lock
 *
 * SIGUSR1 ends the program as SIGKILL does, but not between a change and its record in the trace.
 *
 * A change is made and traced under one lock, so the trace is in the order of the changes. A sync is
 * traced after it has returned, with the length of the trace when it began: only earlier changes are
 * known to be on the disk. An answer is traced before it is sent.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 65536
#define ANSWER_BYTES_MAX 65536

/* One record of the trace: this, then the name, then the bytes. */
struct record {
    char kind;             /* see the calls of note() */
    uint8_t name_bytes;
    uint8_t spare[2];
    uint32_t data_bytes;
    int64_t at;            /* an offset, a length, or a length of the trace */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static size_t folder_bytes;
static int trace = -1;
static char *names[FDS_MAX]; /* of open files in the folder; the folder's own name is empty */
static char fail_kind[16];
static int fail_errno, fail_sticky;
static long fail_at;
static volatile sig_atomic_t ending;

static void end_soon(int number) {
    (void)number;
    ending = 1;
}

__attribute__((constructor)) static void begin(void) {
    folder = getenv("SHIM_FOLDER");
    const char *path = getenv("SHIM_TRACE"), *fail = getenv("SHIM_FAIL");
    if (!folder || !path) abort();
    folder_bytes = strlen(folder);
    trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace < 0) abort();
    signal(SIGUSR1, end_soon);
    if (fail && *fail) {
        const char *colon = strchr(fail, ':');
        if (!colon || sizeof fail_kind <= (size_t)(colon - fail)) abort();
        memcpy(fail_kind, fail, (size_t)(colon - fail));
        char *rest;
        fail_errno = (int)strtol(colon + 1, &rest, 10);
        fail_at = strtol(rest + 1, &rest, 10);
        fail_sticky = strcmp(rest, ":sticky") == 0;
    }
}

static int64_t trace_end(void) { return (int64_t)syscall(SYS_lseek, trace, 0, SEEK_END); }

/* Call with the lock held. */
static void note(char kind, const char *name, int64_t at, const void *data, size_t bytes) {
    struct record head = {kind, (uint8_t)strlen(name), {0, 0}, (uint32_t)bytes, at};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)name, strlen(name)}, {(void *)data, bytes}};
    if (syscall(SYS_writev, trace, parts, 3) != (long)(sizeof head + strlen(name) + bytes)) abort();
    if (ending) raise(SIGKILL);
}

/* Call with the lock held. True if this call must fail; the failure is then traced. */
static int fails(const char *kind, const char *name) {
    if (strcmp(kind, fail_kind) != 0) return 0;
    fail_at -= 1;
    if (fail_at != 0 && !(fail_sticky && fail_at < 0)) return 0;
    note('F', name, 0, kind, strlen(kind));
    errno = fail_errno;
    return 1;
}

/* The name of a path in the folder, or null. */
static const char *name_of(const char *path) {
    if (!folder || strncmp(path, folder, folder_bytes) != 0) return NULL;
    if (path[folder_bytes] == 0) return path + folder_bytes;
    return path[folder_bytes] == '/' ? path + folder_bytes + 1 : NULL;
}

static const char *name_of_fd(int fd) {
    return 0 <= fd && fd < FDS_MAX ? names[fd] : NULL;
}

static int open_in(const char *path, const char *name, int flags, mode_t mode) {
    pthread_mutex_lock(&lock);
    int fd = -1;
    if (!fails("open", name)) {
        int is_new = (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
        fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
        if (0 <= fd && fd < FDS_MAX) {
            names[fd] = strdup(name);
            if (is_new) note('O', name, 0, "", 0);
            if (flags & O_TRUNC) note('T', name, 0, "", 0);
        }
    }
    int why = errno;
    pthread_mutex_unlock(&lock);
    errno = why;
    return fd;
}

static int open_any(const char *path, int flags, mode_t mode) {
    const char *name = name_of(path);
    if (name) return open_in(path, name, flags, mode);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

#define OPEN(called)                                                                               \
    int called(const char *path, int flags, ...) {                                                 \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(rest, int) : 0;               \
        va_end(rest);                                                                              \
        return open_any(path, flags, mode);                                                        \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (name_of_fd(fd)) {
        free(names[fd]);
        names[fd] = NULL;
    }
    int closed = (int)syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return closed;
}

static ssize_t write_at(int fd, const char *name, const void *data, size_t bytes, off_t at) {
    ssize_t written = -1;
    pthread_mutex_lock(&lock);
    if (fails("pwrite", name)) {
        bytes = fail_errno == 0 ? bytes / 2 : 0;
        if (fail_errno == 0) written = 0;
    }
    if (bytes) written = syscall(SYS_pwrite64, fd, data, bytes, at);
    int why = errno;
    if (0 < written) note('W', name, at, data, (size_t)written);
    pthread_mutex_unlock(&lock);
    errno = why;
    return written;
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t at) {
    const char *name = name_of_fd(fd);
    if (name) return write_at(fd, name, data, bytes, at);
    return syscall(SYS_pwrite64, fd, data, bytes, at);
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at) {
    return pwrite64(fd, data, bytes, at);
}

static void note_answer(const void *data, size_t bytes) {
    static const char ok[] = "HTTP/1.1 200";
    if (bytes < sizeof ok || memcmp(data, ok, sizeof ok - 1) != 0) return;
    pthread_mutex_lock(&lock);
    note('A', "", 0, data, bytes < ANSWER_BYTES_MAX ? bytes : ANSWER_BYTES_MAX);
    pthread_mutex_unlock(&lock);
}

ssize_t send(int fd, const void *data, size_t bytes, int flags) {
    note_answer(data, bytes);
    return syscall(SYS_sendto, fd, data, bytes, flags, NULL, 0);
}

/* The book's files are always written at an offset, so only answers are of interest here. */
ssize_t write(int fd, const void *data, size_t bytes) {
    if (name_of_fd(fd)) abort();
    note_answer(data, bytes);
    return syscall(SYS_write, fd, data, bytes);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (name_of_fd(fd)) abort();
    char whole[ANSWER_BYTES_MAX];
    size_t bytes = 0;
    for (int nth = 0; nth < count && bytes + parts[nth].iov_len <= sizeof whole; nth++) {
        memcpy(whole + bytes, parts[nth].iov_base, parts[nth].iov_len);
        bytes += parts[nth].iov_len;
    }
    note_answer(whole, bytes);
    return syscall(SYS_writev, fd, parts, count);
}

int ftruncate64(int fd, off64_t length) {
    const char *name = name_of_fd(fd);
    if (!name) return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    int done = -1;
    if (!fails("ftruncate", name)) done = (int)syscall(SYS_ftruncate, fd, length);
    int why = errno;
    if (done == 0) note('T', name, length, "", 0);
    pthread_mutex_unlock(&lock);
    errno = why;
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int sync_file(int fd, long number) {
    const char *name = name_of_fd(fd);
    if (!name) return (int)syscall(number, fd);
    pthread_mutex_lock(&lock);
    int failed = fails("fsync", name), why = errno;
    int64_t before = trace_end();
    pthread_mutex_unlock(&lock);
    if (failed) {
        errno = why;
        return -1;
    }
    int done = (int)syscall(number, fd);
    why = errno;
    pthread_mutex_lock(&lock);
    if (done == 0) note('S', name, before, "", 0);
    pthread_mutex_unlock(&lock);
    errno = why;
    return done;
}

int fsync(int fd) { return sync_file(fd, SYS_fsync); }

int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }

int unlink(const char *path) {
    const char *name = name_of(path);
    if (!name) return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0), why = errno;
    if (done == 0) note('U', name, 0, "", 0);
    pthread_mutex_unlock(&lock);
    errno = why;
    return done;
}

/* No file of the book is ever renamed. If one is, the trial fails at this record, because it cannot
 * read it. */
int rename(const char *from, const char *to) {
    const char *name = name_of(from), *new_name = name_of(to);
    if (!name || !new_name) return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0), why = errno;
    if (done == 0) note('R', name, 0, new_name, strlen(new_name));
    pthread_mutex_unlock(&lock);
    errno = why;
    return done;
}

static int lock_file(int fd, int command, struct flock *wanted) {
    const char *name = name_of_fd(fd);
    if (name && command == F_SETLK && wanted->l_type != F_UNLCK) {
        pthread_mutex_lock(&lock);
        int failed = fails("lock", name), why = errno;
        pthread_mutex_unlock(&lock);
        if (failed) {
            errno = why;
            return -1;
        }
    }
    return (int)syscall(SYS_fcntl, fd, command, wanted);
}

#define FCNTL(called)                                                                              \
    int called(int fd, int command, ...) {                                                         \
        va_list rest;                                                                              \
        va_start(rest, command);                                                                   \
        void *argument = va_arg(rest, void *);                                                     \
        va_end(rest);                                                                              \
        return lock_file(fd, command, argument);                                                   \
    }
FCNTL(fcntl)
FCNTL(fcntl64)
