/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The platform of host.c on POSIX: a serial port by termios, HTTP by sockets.
       cc -std=c11 -o host host.c at.c posix.c
       ./host /dev/ttyUSB0 link
   The file `link` has the link of the device. On the command line every user of the machine could read it. */
#define _POSIX_C_SOURCE 200809L
#include "host.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

static const char *port;
static int serial = -1;

static bool serial_open(void)
{
    struct termios tty;
    if (serial >= 0)
        close(serial);
    serial = open(port, O_RDWR | O_NOCTTY);
    if (serial < 0 || tcgetattr(serial, &tty) != 0)
        return false;
    tty.c_iflag = tty.c_oflag = tty.c_lflag = 0; /* bytes as they are, no echo */
    tty.c_cflag = CS8 | CREAD | CLOCAL;
    tty.c_cc[VMIN] = tty.c_cc[VTIME] = 0;
    cfsetispeed(&tty, B115200);
    cfsetospeed(&tty, B115200);
    return tcsetattr(serial, TCSANOW, &tty) == 0;
}

/* A USB port vanishes while the module restarts, so it is opened again. */
bool serial_read(char *byte, int ms)
{
    struct pollfd ready = {serial, POLLIN, 0};
    if (poll(&ready, 1, ms) == 1 && read(serial, byte, 1) == 1)
        return true;
    if (serial < 0 || ready.revents) {
        poll(NULL, 0, SECOND);
        serial_open();
    }
    return false;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    for (ssize_t n; len > 0; bytes += n, len -= (size_t)n)
        if ((n = write(fd, bytes, len)) <= 0)
            return false;
    return true;
}

bool serial_write(const char *text)
{
    return write_all(serial, text, strlen(text));
}

/* With a limit of 30 seconds for each read and write. Returns the socket; -1: no connection. */
static int connect_to(const char *name, const char *service)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const struct timeval patience = {30, 0};
    struct addrinfo *found;
    if (getaddrinfo(name, service, &hints, &found) != 0)
        return -1;
    int fd = socket(found->ai_family, found->ai_socktype, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

int http_post(const char *url, const char *body, size_t len, char *answer, size_t size)
{
    char name[128], service[8] = "80", path[200], head[512];
    int status = 0;
    size_t got = 0;
    if (sscanf(url, "http://%127[^:/]:%7[0-9]%199s", name, service, path) != 3 &&
        sscanf(url, "http://%127[^:/]%199s", name, path) != 2)
        return 0;
    int fd = connect_to(name, service);
    if (fd < 0)
        return 0;
    int used = snprintf(head, sizeof head,
                        "POST %s HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: text/plain\r\n"
                        "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                        path, name, service, len);
    if (write_all(fd, head, (size_t)used) && write_all(fd, body, len))
        for (ssize_t n; got < size - 1 && (n = read(fd, answer + got, size - 1 - got)) > 0;)
            got += (size_t)n;
    close(fd);
    answer[got] = '\0';
    bool whole = got > 0 && answer[got - 1] == '}'; /* the server answers with one JSON object */
    return whole && sscanf(answer, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

void say(const char *what, const char *detail)
{
    printf("%s%s%s\n", what, *detail ? " " : "", detail);
    fflush(stdout);
}

static bool read_link(const char *path, char *link, size_t size)
{
    FILE *file = fopen(path, "r");
    bool ok = file && fgets(link, (int)size, file);
    if (file)
        fclose(file);
    if (ok)
        link[strcspn(link, "\r\n")] = '\0';
    return ok;
}

int main(int argc, char **argv)
{
    char link[256];
    if (argc != 3) {
        fprintf(stderr, "usage: host SERIAL-PORT LINK-FILE\n");
        return ROUND_FAILED;
    }
    port = argv[1];
    signal(SIGPIPE, SIG_IGN);
    if (!read_link(argv[2], link, sizeof link)) {
        perror(argv[2]);
        return ROUND_FAILED;
    }
    if (!serial_open()) {
        perror(port);
        return ROUND_LATER;
    }
    return (int)host_run(link);
}
