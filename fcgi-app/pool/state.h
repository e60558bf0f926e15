/* The master's state, shared by its three parts: master.c (the loop, signals, start and stop), lanes.c
 * (children of a role: kept at their number), reload.c (a new configuration, worker by worker). */
#pragma once
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pool/pool.h"

#define DRAIN_MS 10000        /* what a worker gets to finish a request when told to stop for good */
#define HEALTHY_MS 1000       /* a child that lives shorter counts as failing to start */
#define BACKOFF_FIRST_MS 100  /* then doubled with every failure ... */
#define BACKOFF_MOST_MS 10000 /* ... up to this */

struct lane {                 /* a role, with its socket */
    const struct role *role;
    int listen_fd;            /* -1: none */
    bool own_socket;          /* made by us, so removed by us */
    unsigned want;            /* children there should be */
    int64_t backoff_ms;       /* 0: healthy */
    int64_t not_before_ms;    /* no start before this (monotonic) */
    unsigned proven;          /* the generation of which a worker has lived through its trial */
};

struct child {
    struct child *next;
    struct lane *lane;
    pid_t pid;
    int stop_fd;              /* closed = told to stop */
    unsigned number;          /* 1..want */
    unsigned generation;      /* of the configuration it runs with */
    int64_t started_ms;
    int64_t kill_ms;          /* when it is leaving: SIGKILL at this time; 0 = it may take as long as it wants */
    bool leaving;
};

/* A configuration and the number that tells its workers from those of others. */
struct settings {
    const struct conf *conf;
    void *mem;                /* what it goes with; NULL when it is the caller's */
    unsigned generation;
};

enum pool_phase { PHASE_CHECK, PHASE_SERVE, PHASE_DRAIN, PHASE_OVER };

struct pool {
    void *mem;
    const struct master *master;
    struct settings now, before; /* before.conf is NULL unless a change is under way that can be taken back */
    unsigned generations;        /* given out so far */
    struct shm *shm;
    int lock_fd, signal_fd;
    sigset_t mask;               /* of before signals_open; children get it back */

    struct lane *lanes;
    size_t lanes_n;
    struct child *children;

    enum pool_phase phase;
    int status;                  /* what master_run returns */
    pid_t preflight;             /* the child that checks a configuration; 0: none */
    int preflight_stop_fd;
    bool reload_wanted;          /* a HUP waits for its turn */
    bool rolling;                /* workers are being replaced */
    struct child *fresh, *stale; /* the one on trial and the one it replaces */
    int64_t trial_ms;            /* until when */
};

/* ---- lanes.c ---- */
void lanes_count(struct pool *p);                 /* want, by the present configuration */
void lanes_tend(struct pool *p, int64_t now_ms);  /* start what is missing, stop what is too many, kill what is overdue */
int64_t lanes_next_ms(const struct pool *p);      /* when lanes_tend has something to do; INT64_MAX: nothing in sight */
struct child *lane_start(struct pool *p, struct lane *lane, unsigned number, int64_t now_ms); /* NULL: not possible now */
void child_stop(struct child *c, int64_t kill_ms);
void lanes_stop_all(struct pool *p, int64_t kill_ms);
void lanes_ended(struct pool *p, pid_t pid, int status, int64_t now_ms); /* a child is gone */

/* ---- reload.c ---- */
void reload_begin(struct pool *p);
void reload_checked(struct pool *p, bool good);   /* the preflight of a reload is over */
void reload_step(struct pool *p, int64_t now_ms); /* replace the next worker when it is time */
void reload_fresh_died(struct pool *p);           /* the worker on trial did not live */
int64_t reload_next_ms(const struct pool *p);
