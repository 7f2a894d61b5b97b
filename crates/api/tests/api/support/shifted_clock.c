/* Shifts the system clock by as much as a test sets. Loaded by LD_PRELOAD, these functions override those of the C library;
 * monotonic clocks stay as they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* The file SHIFTED_CONTROL, which the test writes, in seconds. */
static _Atomic int64_t *ahead;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("SHIFTED_CONTROL");
  int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped != MAP_FAILED) ahead = mapped;
}

static int64_t shift(void) { return ahead ? atomic_load(ahead) : 0; }

int clock_gettime(clockid_t id, struct timespec *now) {
  static int (*next)(clockid_t, struct timespec *);
  if (!next) next = dlsym(RTLD_NEXT, "clock_gettime");
  int result = next(id, now);
  if (result == 0 && id == CLOCK_REALTIME) now->tv_sec += shift();
  return result;
}

int gettimeofday(struct timeval *now, void *zone) {
  static int (*next)(struct timeval *, void *);
  if (!next) next = dlsym(RTLD_NEXT, "gettimeofday");
  int result = next(now, zone);
  if (result == 0) now->tv_sec += shift();
  return result;
}
