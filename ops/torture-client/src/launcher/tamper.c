/* Loaded before a server's own libraries: adds what the run says to the time of day, and to no other clock, and has writes
   to files and their way to the disk fail while the run says so.
   libfaketime would do the first, but its first call allocates and jemalloc's first allocation asks for the time: neither
   returns. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Written by the run while it is read here. */
struct orders {
    int64_t ahead;     /* seconds */
    int64_t is_broken; /* the disk answers EIO */
};
static const volatile struct orders *orders;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TORTURE_ORDERS");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *found = mmap(NULL, sizeof *orders, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (found != MAP_FAILED) orders = found;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    long failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && orders && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += orders->ahead;
    return (int)failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME_COARSE, &exact)) return -1;
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}

static int fails(void) {
    if (!orders || !orders->is_broken) return 0;
    errno = EIO;
    return 1;
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    return fails() ? -1 : syscall(SYS_pwrite64, file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    return pwrite64(file, bytes, count, at);
}

int fsync(int file) {
    return fails() ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
    return fails() ? -1 : (int)syscall(SYS_fdatasync, file);
}
