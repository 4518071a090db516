/* Count the file operations of one process below a folder, and let the n-th go wrong.
 *
 * Preloaded (LD_PRELOAD). A process is armed by variables, which it then forgets, so that what it
 * starts itself is left alone:
 *
 *   FAULTS_WATCH  the folder, as a real path; what lies elsewhere is not counted
 *   FAULTS_KIND   list, kill-before, kill-after, full, io, short or denied
 *   FAULTS_AT     n: the operation that goes wrong, from 1
 *   FAULTS_SIDE   the file, outside the folder, that is told what was done: with "list" each
 *                 operation, else the one that went wrong
 *
 * A process that was forked is armed by what its variables are at its first operation.
 * A full disk stays full: after the n-th, every operation that needs room fails as well.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { NONE, LIST, KILL_BEFORE, KILL_AFTER, FULL, IO, SHORT, DENIED };
static const char *const KINDS[] = {"none", "list", "kill-before", "kill-after",
                                    "full", "io",   "short",       "denied"};
enum room { TAKES_NONE, TAKES_ROOM };
struct fault { int error, is_short, kill_after; };
static const struct fault WELL = {0, 0, 0};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum kind kind = NONE;
static int is_armed;
static long at, count;
static char watched[PATH_MAX], side[PATH_MAX];

static void forget(void) {
  pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
  lock = fresh; /* another thread may have held it */
  is_armed = 0;
  kind = NONE;
}

__attribute__((constructor)) static void start(void) {
  unsetenv("LD_PRELOAD");
  pthread_atfork(NULL, NULL, forget);
}

static void arm(void) {
  const char *folder = getenv("FAULTS_WATCH"), *name = getenv("FAULTS_KIND");
  const char *number = getenv("FAULTS_AT"), *told = getenv("FAULTS_SIDE");
  if (!folder || !name || !told) return;
  snprintf(watched, sizeof watched, "%s", folder);
  snprintf(side, sizeof side, "%s", told);
  at = number ? atol(number) : 0;
  count = 0;
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
    if (!strcmp(name, KINDS[i])) kind = (enum kind)i;
  is_armed = 1;
  unsetenv("FAULTS_WATCH");
  unsetenv("FAULTS_KIND");
  unsetenv("FAULTS_AT");
  unsetenv("FAULTS_SIDE");
}

/* Write a line into the side file, by system calls that are not counted. */
static void tell(long number, const char *name, const char *path) {
  char line[2 * PATH_MAX + 64];
  int size = snprintf(line, sizeof line, "%ld\t%s\t%s\n", number, name, path);
  int file = (int)syscall(SYS_openat, AT_FDCWD, side, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (file < 0) _exit(99);
  syscall(SYS_write, file, line, (size_t)size);
  syscall(SYS_close, file);
}

/* Count an operation on a path; return what is to become of it. */
static struct fault meet_path(const char *name, enum room room, const char *path) {
  struct fault fault = WELL;
  int saved = errno;
  size_t length = strlen(watched);
  if (strncmp(path, watched, length) || (path[length] && path[length] != '/')) return fault;
  pthread_mutex_lock(&lock);
  long number = ++count;
  if (kind == LIST) tell(number, name, path);
  if (kind == FULL && number > at && room == TAKES_ROOM) fault.error = ENOSPC;
  if (kind > LIST && number == at) {
    tell(number, name, path);
    if (kind == KILL_BEFORE) syscall(SYS_kill, getpid(), SIGKILL);
    if (kind == FULL) fault.error = ENOSPC;
    if (kind == IO) fault.error = EIO;
    if (kind == DENIED) fault.error = EACCES;
    fault.kill_after = kind == KILL_AFTER;
    fault.is_short = kind == SHORT;
  }
  pthread_mutex_unlock(&lock);
  errno = saved;
  return fault;
}

static int is_off(void) {
  if (!is_armed) {
    pthread_mutex_lock(&lock);
    if (!is_armed) arm();
    pthread_mutex_unlock(&lock);
  }
  return kind == NONE;
}

static struct fault meet_at(const char *name, enum room room, int folder, const char *path) {
  if (is_off() || !path) return WELL;
  char whole[2 * PATH_MAX] = "", link[64];
  ssize_t size = 0;
  int saved = errno;
  if (path[0] != '/') {
    if (folder == AT_FDCWD) strcpy(link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    size = readlink(link, whole, PATH_MAX - 1);
    if (size < 0) size = 0;
    whole[size++] = '/';
  }
  snprintf(whole + size, sizeof whole - (size_t)size, "%s", path);
  errno = saved;
  return meet_path(name, room, whole);
}

static struct fault meet_descriptor(const char *name, enum room room, int descriptor) {
  if (is_off()) return WELL;
  char link[64], path[PATH_MAX];
  int saved = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t size = readlink(link, path, sizeof path - 1);
  errno = saved;
  if (size < 0) return WELL;
  path[size] = 0;
  return meet_path(name, room, path);
}

/* Of two paths the second, where something appears; where that is not watched, the first. */
static struct fault meet_two(const char *name, enum room room, int from, const char *old, int to,
                             const char *new) {
  long before = count;
  struct fault fault = meet_at(name, room, to, new);
  return count != before || is_off() ? fault : meet_at(name, room, from, old);
}

static void after(struct fault fault) {
  if (fault.kill_after) syscall(SYS_kill, getpid(), SIGKILL);
}

#define REAL(name)                                   \
  static __typeof__(&name) real;                     \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* Define a function that meets its fault, calls the real one, and returns what that returned. */
#define WRAP(type, name, parameters, arguments, met) \
  type name parameters {                             \
    REAL(name);                                      \
    struct fault fault = met;                        \
    if (fault.error) {                               \
      errno = fault.error;                           \
      return -1;                                     \
    }                                                \
    type done = real arguments;                      \
    after(fault);                                    \
    return done;                                     \
  }

#define OPENED(flags) ((flags) & O_ACCMODE) == O_RDONLY && !((flags) & O_CREAT) ? "open" : "open-w"
#define ROOM(flags) ((flags) & O_CREAT ? TAKES_ROOM : TAKES_NONE)
#define WRAP_OPEN(name)                                                      \
  int name(const char *path, int flags, ...) {                               \
    REAL(name);                                                              \
    va_list more;                                                            \
    va_start(more, flags);                                                   \
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0; \
    va_end(more);                                                            \
    struct fault fault = meet_at(OPENED(flags), ROOM(flags), AT_FDCWD, path); \
    if (fault.error) {                                                       \
      errno = fault.error;                                                   \
      return -1;                                                             \
    }                                                                        \
    int done = real(path, flags, mode);                                      \
    after(fault);                                                            \
    return done;                                                             \
  }
#define WRAP_OPENAT(name)                                                    \
  int name(int folder, const char *path, int flags, ...) {                   \
    REAL(name);                                                              \
    va_list more;                                                            \
    va_start(more, flags);                                                   \
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0; \
    va_end(more);                                                            \
    struct fault fault = meet_at(OPENED(flags), ROOM(flags), folder, path);  \
    if (fault.error) {                                                       \
      errno = fault.error;                                                   \
      return -1;                                                             \
    }                                                                        \
    int done = real(folder, path, flags, mode);                              \
    after(fault);                                                            \
    return done;                                                             \
  }
WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

#define PATH(name, room, ...) meet_at(name, room, __VA_ARGS__)
WRAP(int, mkdir, (const char *p, mode_t m), (p, m), PATH("mkdir", TAKES_ROOM, AT_FDCWD, p))
WRAP(int, mkdirat, (int d, const char *p, mode_t m), (d, p, m), PATH("mkdir", TAKES_ROOM, d, p))
WRAP(int, rmdir, (const char *p), (p), PATH("rmdir", TAKES_NONE, AT_FDCWD, p))
WRAP(int, unlink, (const char *p), (p), PATH("unlink", TAKES_NONE, AT_FDCWD, p))
WRAP(int, unlinkat, (int d, const char *p, int f), (d, p, f),
     PATH(f & AT_REMOVEDIR ? "rmdir" : "unlink", TAKES_NONE, d, p))
WRAP(int, chmod, (const char *p, mode_t m), (p, m), PATH("chmod", TAKES_NONE, AT_FDCWD, p))
WRAP(int, fchmodat, (int d, const char *p, mode_t m, int f), (d, p, m, f),
     PATH("chmod", TAKES_NONE, d, p))
WRAP(int, chown, (const char *p, uid_t u, gid_t g), (p, u, g),
     PATH("chown", TAKES_NONE, AT_FDCWD, p))
WRAP(int, lchown, (const char *p, uid_t u, gid_t g), (p, u, g),
     PATH("chown", TAKES_NONE, AT_FDCWD, p))
WRAP(int, fchownat, (int d, const char *p, uid_t u, gid_t g, int f), (d, p, u, g, f),
     PATH("chown", TAKES_NONE, d, p))

WRAP(int, rename, (const char *o, const char *n), (o, n),
     meet_two("rename", TAKES_ROOM, AT_FDCWD, o, AT_FDCWD, n))
WRAP(int, renameat, (int a, const char *o, int b, const char *n), (a, o, b, n),
     meet_two("rename", TAKES_ROOM, a, o, b, n))
WRAP(int, renameat2, (int a, const char *o, int b, const char *n, unsigned f), (a, o, b, n, f),
     meet_two("rename", TAKES_ROOM, a, o, b, n))
WRAP(int, link, (const char *o, const char *n), (o, n),
     meet_two("link", TAKES_ROOM, AT_FDCWD, o, AT_FDCWD, n))
WRAP(int, linkat, (int a, const char *o, int b, const char *n, int f), (a, o, b, n, f),
     meet_two("link", TAKES_ROOM, a, o, b, n))
WRAP(int, symlink, (const char *o, const char *n), (o, n),
     PATH("symlink", TAKES_ROOM, AT_FDCWD, n))
WRAP(int, symlinkat, (const char *o, int d, const char *n), (o, d, n),
     PATH("symlink", TAKES_ROOM, d, n))

#define FILE_OF(name, room, descriptor) meet_descriptor(name, room, descriptor)
WRAP(int, fsync, (int d), (d), FILE_OF("fsync", TAKES_ROOM, d))
WRAP(int, fdatasync, (int d), (d), FILE_OF("fsync", TAKES_ROOM, d))
WRAP(int, ftruncate, (int d, off_t s), (d, s), FILE_OF("truncate", TAKES_ROOM, d))
WRAP(int, ftruncate64, (int d, off64_t s), (d, s), FILE_OF("truncate", TAKES_ROOM, d))
WRAP(int, fchmod, (int d, mode_t m), (d, m), FILE_OF("chmod", TAKES_NONE, d))
WRAP(int, fchown, (int d, uid_t u, gid_t g), (d, u, g), FILE_OF("chown", TAKES_NONE, d))

/* A short one does half of what it is asked for, at least a byte. */
#define HALF(fault, size) ((fault).is_short && (size) > 1 ? (size) / 2 : (size))
#define WRAP_SIZED(name, parameters, arguments, met) WRAP(ssize_t, name, parameters, arguments, met)
WRAP_SIZED(write, (int d, const void *b, size_t s), (d, b, HALF(fault, s)),
           FILE_OF("write", TAKES_ROOM, d))
WRAP_SIZED(pwrite, (int d, const void *b, size_t s, off_t o), (d, b, HALF(fault, s), o),
           FILE_OF("write", TAKES_ROOM, d))
WRAP_SIZED(pwrite64, (int d, const void *b, size_t s, off64_t o), (d, b, HALF(fault, s), o),
           FILE_OF("write", TAKES_ROOM, d))
WRAP_SIZED(sendfile, (int t, int f, off_t *o, size_t s), (t, f, o, HALF(fault, s)),
           FILE_OF("write", TAKES_ROOM, t))
WRAP_SIZED(sendfile64, (int t, int f, off64_t *o, size_t s), (t, f, o, HALF(fault, s)),
           FILE_OF("write", TAKES_ROOM, t))
WRAP_SIZED(copy_file_range, (int f, off64_t *a, int t, off64_t *b, size_t s, unsigned x),
           (f, a, t, b, HALF(fault, s), x), FILE_OF("write", TAKES_ROOM, t))
WRAP_SIZED(writev, (int d, const struct iovec *v, int n), (d, v, n),
           FILE_OF("write", TAKES_ROOM, d))
WRAP_SIZED(read, (int d, void *b, size_t s), (d, b, HALF(fault, s)),
           FILE_OF("read", TAKES_NONE, d))
WRAP_SIZED(pread, (int d, void *b, size_t s, off_t o), (d, b, HALF(fault, s), o),
           FILE_OF("read", TAKES_NONE, d))
WRAP_SIZED(pread64, (int d, void *b, size_t s, off64_t o), (d, b, HALF(fault, s), o),
           FILE_OF("read", TAKES_NONE, d))
WRAP_SIZED(preadv, (int d, const struct iovec *v, int n, off_t o), (d, v, n, o),
           FILE_OF("read", TAKES_NONE, d))
WRAP_SIZED(preadv64, (int d, const struct iovec *v, int n, off64_t o), (d, v, n, o),
           FILE_OF("read", TAKES_NONE, d))
WRAP_SIZED(preadv2, (int d, const struct iovec *v, int n, off_t o, int f), (d, v, n, o, f),
           FILE_OF("read", TAKES_NONE, d))
WRAP_SIZED(preadv64v2, (int d, const struct iovec *v, int n, off64_t o, int f), (d, v, n, o, f),
           FILE_OF("read", TAKES_NONE, d))
