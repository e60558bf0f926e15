/* System calls that fail, or kill, when they are reached: by seccomp, so the code under test is exactly the
 * one that runs. For a child process: a trap cannot be taken away again. */
#pragma once
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct trap {
    const char *name;
    long call;
    int arg;       /* only when this argument ... */
    uint32_t bits; /* ... has all of these bits; 0: always */
    int error;     /* what it fails with; 0: the process is killed as by kill -9, before the call */
};

static inline void trap_kill(int signal_number)
{
    (void)signal_number;
    kill(getpid(), SIGKILL);
}

/* false when the kernel does not let us. Arguments are compared in their low 32 bits, little-endian. */
static inline bool trap_set(const struct trap *trap)
{
    const uint32_t hit = trap->error ? SECCOMP_RET_ERRNO | (uint32_t)trap->error : SECCOMP_RET_TRAP;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)trap->call, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (size_t)trap->arg)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, trap->bits),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, trap->bits, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, hit),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    const struct sigaction killer = {.sa_handler = trap_kill};
    return sigaction(SIGSYS, &killer, NULL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* What a child answers when trap_set was refused; tests then skip aloud. */
enum { NO_TRAPS = 77 };
