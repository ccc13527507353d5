// A flat interface to the reference implementation: every instruction is lifted in a fresh context
// database, so that nothing remains of those before.

#include <cstring>
#include <fstream>
#include <iostream>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "sleigh.hh"

#include "globalcontext.hh"
#include "loadimage.hh"
#include "slaformat.hh"

using namespace ghidra;

namespace {

struct Bytes : LoadImage {
  uint64_t base = 0;
  const uint8_t *bytes = nullptr;
  uint64_t length = 0;
  Bytes() : LoadImage("bytes") {}
  void loadFill(uint1 *into, int4 size, const Address &at) override {
    uint64_t offset = at.getOffset() - base;
    if (offset >= length) throw DataUnavailError("unmapped");
    uint64_t count = std::min<uint64_t>(size, length - offset);
    memcpy(into, bytes + offset, count);
    memset(into + count, 0, size - count);
  }
  string getArchType() const override { return "bytes"; }
  void adjustVma(long) override {}
};

struct Engine : Sleigh {
  Bytes image;
  ContextInternal *database = nullptr;
  Engine() : Sleigh(nullptr, nullptr) {}
  void load(const string &compiled) {
    std::istringstream stream(compiled);
    sla::FormatDecode decoder(this);
    // A context symbol is registered with the database while the specification is read.
    start();
    decoder.ingestStream(stream);
    decode(decoder);
  }
  void start() {
    ContextInternal *fresh = new ContextInternal;
    reset(&image, fresh);
    delete database;
    database = fresh;
  }
};

}  // namespace

extern "C" {

struct FlatVarnode {
  uint64_t offset;
  uint32_t size;
  // 0 constant, 1 register, 2 unique, 3 code, 16 + index for others, ~0 for none.
  uint32_t space;
};

struct FlatOp {
  uint32_t opcode;
  uint32_t input_count;
  FlatVarnode output;
  FlatVarnode inputs[3];
};

}  // extern "C"

namespace {

struct Collect : PcodeEmit {
  Engine *engine;
  FlatOp *ops;
  uint32_t capacity;
  uint32_t count = 0;
  uint32_t number(const AddrSpace *space) const {
    if (space == engine->getConstantSpace()) return 0;
    if (space == engine->getUniqueSpace()) return 2;
    if (space == engine->getDefaultCodeSpace()) return 3;
    if (space->getName() == "register") return 1;
    return 16 + space->getIndex();
  }
  FlatVarnode flat(const VarnodeData &varnode) const {
    return FlatVarnode{varnode.offset, varnode.size, number(varnode.space)};
  }
  void dump(const Address &, OpCode opcode, VarnodeData *output, VarnodeData *inputs,
            int4 count_inputs) override {
    if (count >= capacity) throw LowlevelError("too many operations");
    FlatOp &op = ops[count++];
    op.opcode = opcode;
    op.input_count = std::min(count_inputs, 3);
    op.output = output ? flat(*output) : FlatVarnode{0, 0, ~0u};
    for (uint32_t i = 0; i < op.input_count; i++) op.inputs[i] = flat(inputs[i]);
    if (opcode == CPUI_LOAD || opcode == CPUI_STORE)
      op.inputs[0].offset = number(inputs[0].getSpaceFromConst());
  }
};

struct Text : AssemblyEmit {
  string text;
  void dump(const Address &, const string &mnemonic, const string &body) override {
    text = body.empty() ? mnemonic : mnemonic + " " + body;
  }
};

int fail(const string &explanation, char *error, uint32_t error_size) {
  strncpy(error, explanation.c_str(), error_size - 1);
  error[error_size - 1] = 0;
  return -1;
}

}  // namespace

extern "C" {

void *reference_new(const uint8_t *compiled, uint64_t length) {
  static bool initialized = false;
  if (!initialized) {
    ElementId::initialize();
    AttributeId::initialize();
    initialized = true;
  }
  Engine *engine = new Engine;
  try {
    engine->load(string(reinterpret_cast<const char *>(compiled), length));
  } catch (LowlevelError &error) {
    std::cerr << error.explain << std::endl;
    return nullptr;
  } catch (DecoderError &error) {
    std::cerr << error.explain << std::endl;
    return nullptr;
  }
  return engine;
}

// Makes a fresh database in which `address` has `own` as its context and everything else `rest`,
// over the code bytes given.
int reference_start(void *handle, uint64_t base, const uint8_t *bytes, uint64_t length,
                    uint64_t address, const uint32_t *own, const uint32_t *rest) {
  Engine *engine = static_cast<Engine *>(handle);
  engine->image.base = base;
  engine->image.bytes = bytes;
  engine->image.length = length;
  try {
    engine->start();
    DocumentStorage none;
    engine->initialize(none);
    AddrSpace *code = engine->getDefaultCodeSpace();
    ContextInternal *database = engine->database;
    Address end = address + 1 > code->getHighest() ? Address() : Address(code, address + 1);
    for (int4 word = 0; word < database->getContextSize(); word++) {
      database->setContextRegion(Address(code, 0), Address(), word, ~0u, rest[word]);
      database->setContextRegion(Address(code, address), end, word, ~0u, own[word]);
    }
    return database->getContextSize();
  } catch (LowlevelError &) {
    return -1;
  }
}

// The length with delay slots, or -1 with an explanation.
int reference_lift(void *handle, uint64_t address, FlatOp *ops, uint32_t capacity, uint32_t *count,
                   char *error, uint32_t error_size) {
  Engine *engine = static_cast<Engine *>(handle);
  Collect collect;
  collect.engine = engine;
  collect.ops = ops;
  collect.capacity = capacity;
  *count = 0;
  try {
    int length = engine->oneInstruction(collect, Address(engine->getDefaultCodeSpace(), address));
    *count = collect.count;
    return length;
  } catch (UnimplError &thrown) {
    return fail("unimplemented: " + thrown.explain, error, error_size);
  } catch (BadDataError &thrown) {
    return fail("bad data: " + thrown.explain, error, error_size);
  } catch (LowlevelError &thrown) {
    return fail("error: " + thrown.explain, error, error_size);
  }
}

int reference_text(void *handle, uint64_t address, char *into, uint32_t size) {
  Engine *engine = static_cast<Engine *>(handle);
  Text text;
  try {
    int length = engine->printAssembly(text, Address(engine->getDefaultCodeSpace(), address));
    fail(text.text, into, size);
    return length;
  } catch (LowlevelError &thrown) {
    return fail(thrown.explain, into, size);
  }
}

void reference_context(void *handle, uint64_t address, uint32_t *into, uint32_t words) {
  Engine *engine = static_cast<Engine *>(handle);
  ContextDatabase *database = engine->database;
  const uintm *context =
      database->getContext(Address(engine->getDefaultCodeSpace(), address));
  for (int4 word = 0; word < database->getContextSize() && word < (int4)words; word++)
    into[word] = context[word];
}

}  // extern "C"
