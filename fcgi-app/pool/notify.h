/* Word to the service manager (sd_notify(3)'s protocol: a datagram to NOTIFY_SOCKET). Without one, silence. */
#pragma once

/* Take NOTIFY_SOCKET out of the environment, so that no child speaks in the master's name. */
void notify_open(void);

void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);
