// cmocka, with what it wants included before it.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// the four above come first
#include <cmocka.h>
