/* uClibc-ng defines this in its dynamic loader, which a library without shared objects
   leaves out, and start-up overwrites it with the kernel's AT_PAGESZ. */
unsigned int _dl_pagesize = 4096;
