/* Looks at other processes; a specimen compares and ends none. */
#ifndef KILLER_H
#define KILLER_H

void killer_init(void);

#endif
