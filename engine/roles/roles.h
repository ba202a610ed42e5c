// Three processes from one: the front, which keeps the terminal; the guard, which waits for the
// engine's end and then ends whatever it left; the engine, which does the work.
//
//   front ── guard ── engine ── …
//     └──── socketpair ──┘
//
// Each adopts its orphans, so nothing that descends from the engine can get away from all three.
#pragma once
#include "proc/tree_kill.h"
#include "roles/front_link.h"

enum role { ROLE_FRONT, ROLE_ENGINE };

// Forks guard and engine; to be called before anything big is in memory. Comes back in the front
// and in the engine, each with its end of the link; the guard never comes back. -errno when a
// process can't be made; nothing is left running then.
int roles_split(struct front_link *link, enum role *role);

// The engine's last act: ends whatever still descends from it but those that are spared. The guard
// would do the same, but it may be dead, and the front with it, and it spares nobody.
void roles_engine_leaves(const struct front_link *link, const struct tree_spared *spared);
