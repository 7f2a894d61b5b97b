/* A disk that fails on demand. Loaded by LD_PRELOAD, these functions override those of the C library, and affect only
 * files whose path begins with FAULTY_FILES: a database with its log and its index. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The file FAULTY_CONTROL, which the test writes and reads. */
struct control {
  _Atomic int64_t error;   /* the errno of calls that fail; 0 while all succeed */
  _Atomic int64_t passing; /* how many calls still succeed */
  _Atomic int64_t calls;   /* how many there were */
};

static struct control *control;
static const char *files;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("FAULTY_CONTROL");
  files = getenv("FAULTY_FILES");
  int fd = path && files ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) control = mapped;
  close(fd);
}

static int is_affected(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, files, strlen(files)) == 0;
}

static int fails(int fd) {
  if (!control || !atomic_load(&control->error)) return 0;
  int before = errno;
  int affected = is_affected(fd);
  errno = before;
  if (!affected || atomic_fetch_add(&control->calls, 1) < atomic_load(&control->passing)) return 0;
  errno = (int)atomic_load(&control->error);
  return 1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  return fails(fd) ? -1 : syscall(SYS_write, fd, bytes, count);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  return fails(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, count, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) { return pwrite64(fd, bytes, count, offset); }
int fsync(int fd) { return fails(fd) ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return fails(fd) ? -1 : (int)syscall(SYS_fdatasync, fd); }
int ftruncate64(int fd, off64_t length) { return fails(fd) ? -1 : (int)syscall(SYS_ftruncate, fd, length); }
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
  return fails(fd) ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, length);
}
int fallocate(int fd, int mode, off_t offset, off_t length) { return fallocate64(fd, mode, offset, length); }
/* Returns the error instead of setting errno. */
int posix_fallocate64(int fd, off64_t offset, off64_t length) {
  return fallocate64(fd, 0, offset, length) == 0 ? 0 : errno;
}
int posix_fallocate(int fd, off_t offset, off_t length) { return posix_fallocate64(fd, offset, length); }
