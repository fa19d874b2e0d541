// SPDX-License-Identifier: GPL-3.0-or-later
#include "serial_ports.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct serial_ports { struct outbox *outbox; int fd[2]; };
struct sp { struct serial_ports *p; int i; };
static void w0(void *c,const void*b,size_t n){struct serial_ports*p=c;if(p->fd[0]>=0){if(write(p->fd[0],b,n)<0)return;}else if(p->fd[0]==-1)outbox_put(p->outbox,b,n);}
int serial_ports_open(const struct options *o, struct event_loop *loop, struct outbox *outbox, struct serial_ports **ports, struct error *err)
{
	struct serial_ports *p=calloc(1,sizeof(*p));(void)loop;(void)err;p->outbox=outbox;p->fd[0]=-1;
	if(o->serial_count&&!strncmp(o->serial[0],"file:",5))p->fd[0]=open(o->serial[0]+5,O_WRONLY|O_CREAT|O_TRUNC,0666);
	else if(o->serial_count&&!strcmp(o->serial[0],"none"))p->fd[0]=-2;
	else if(o->serial_count)p->fd[0]=dup(1);
	*ports=p;return 0;
}
void serial_ports_close(struct serial_ports *ports){free(ports);}
struct serial_backend serial_ports_backend(struct serial_ports *ports, unsigned port){return port?(struct serial_backend){0}:(struct serial_backend){.ctx=ports,.write=w0};}
void serial_ports_connect(struct serial_ports *ports, struct machine *machine){(void)ports;(void)machine;}
bool serial_ports_want_terminal(const struct options *o){return o->serial_count&&strstr(o->serial[0],"stdio");}
