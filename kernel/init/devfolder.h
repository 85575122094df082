/* A folder with all devices, as /dev has them. */
#pragma once

struct node;

/* Makes names for the devices that there are in a directory, links to what each process has open,
 * and a folder for slaves of pseudo-terminals. A name that is taken stays what it is; without
 * memory there are fewer. */
void devfolder_fill(struct node *dir);
