#include "base/library.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Code that the loader had to change holds more than its file does.
static bool relocates_code(const struct dl_phdr_info *info) {
  const ElfW(Dyn) *entry = NULL;
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
      entry = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
  for (; entry && entry->d_tag != DT_NULL; entry++)
    if (entry->d_tag == DT_TEXTREL ||
        (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)))
      return true;
  return false;
}

// Only of files: the kernel's own library is none, and our program has no path here.
static int drop_pages(struct dl_phdr_info *info, size_t size, void *context) {
  const uintptr_t page = *(const uintptr_t *)context;
  (void)size;
  if (info->dlpi_name[0] != '/' || relocates_code(info)) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || part->p_flags & PF_W) continue;
    uintptr_t from = (info->dlpi_addr + part->p_vaddr) & ~(page - 1);
    uintptr_t to = (info->dlpi_addr + part->p_vaddr + part->p_memsz + page - 1) & ~(page - 1);
    madvise((void *)from, to - from, MADV_DONTNEED);
  }
  return 0;
}

void library_drop_pages(void) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  dl_iterate_phdr(drop_pages, &page);
}

bool library_load(const struct library *library, void *table, char *why, size_t why_size) {
  void *opened = dlopen(library->file, library->how | RTLD_LOCAL);
  if (!opened) {
    snprintf(why, why_size, "%s needs %s: %s", library->purpose, library->name, dlerror());
    return false;
  }
  for (size_t i = 0; i < library->count; i++) {
    const struct library_row *row = &library->rows[i];
    void *function = dlsym(opened, row->name);
    if (!function) {
      snprintf(why, why_size, "%s needs a newer %s: it has no %s", library->purpose, library->name,
               row->name);
      return false;
    }
    memcpy((char *)table + row->offset, &function, sizeof function);
  }
  return true;
}
