/* Entry point and system call: MIPS o32, both byte orders. Errors come back in $7. */
    .text
    .set noreorder
    .globl _start
    .globl __start
    .type _start, @function
    .ent _start
__start: /* the name that the linker looks for */
_start:
    move $31, $0
    lui $28, %hi(_gp)
    addiu $28, $28, %lo(_gp)
    move $4, $29
    li $8, -8
    and $29, $29, $8
    addiu $29, $29, -32
    lui $25, %hi(tiny_start)
    addiu $25, $25, %lo(tiny_start)
    jalr $25
    nop
    .end _start

    .globl tiny_syscall
    .type tiny_syscall, @function
    .ent tiny_syscall
tiny_syscall:
    move $2, $4
    move $4, $5
    move $5, $6
    move $6, $7
    lw $7, 16($29)
    lw $8, 20($29)
    lw $9, 24($29)
    addiu $29, $29, -32
    sw $8, 16($29)
    sw $9, 20($29)
    syscall
    addiu $29, $29, 32
    beq $7, $0, 1f
    nop
    subu $2, $0, $2
1:
    jr $31
    nop
    .end tiny_syscall

    .section .note.GNU-stack, "", @progbits
