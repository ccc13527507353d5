// Compiler plugin: closes the gate of GCC's "sh_treg_combine" passes.
//
// In the distribution's GCC 12 for SuperH they take `x = *p; if (x == 0)` for a condition
// stored and inverted, and drop the comparison: every test of a 32-bit load against zero
// goes wrong at -O1 and above. No command-line switch turns them off, since they are
// registered after the switches are read.

#include <cstring>

#include <gcc-plugin.h>
#include <plugin-version.h>
#include <tree-pass.h>

int plugin_is_GPL_compatible;

static void close_gate(void *gate_status, void *) {
  if (current_pass && current_pass->name &&
      std::strncmp(current_pass->name, "sh_treg_combine", 15) == 0)
    *static_cast<bool *>(gate_status) = false;
}

int plugin_init(plugin_name_args *self, plugin_gcc_version *version) {
  if (!plugin_default_version_check(version, &gcc_version))
    return 1;
  register_callback(self->base_name, PLUGIN_OVERRIDE_GATE, close_gate, nullptr);
  return 0;
}
