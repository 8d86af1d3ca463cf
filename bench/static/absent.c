// SPDX-License-Identifier: MIT
/*
 * Linked into the static program only (make dist). hwloc asks libudev about disks and dlopen about
 * plugins. There is no static libudev, a static program can't safely load a library built against another
 * C library, and copytax asks hwloc about neither: CPUs, caches and nodes it reads from sysfs by itself.
 * So both answer "there is none", which hwloc takes for an answer.
 */
#include <stddef.h>

struct udev;
struct udev_device;

/*
 * Declared here: libudev's header may not be installed, and __wrap_ is what the linker's --wrap makes of a
 * call (defining dlopen itself would work, too, but for the linker's warning about the one in libc.a).
 */
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
struct udev *udev_new(void);
struct udev *udev_unref(struct udev *udev);
struct udev_device *udev_device_new_from_subsystem_sysname(struct udev *udev, const char *subsystem,
							   const char *sysname);
const char *udev_device_get_property_value(struct udev_device *device, const char *key);
struct udev_device *udev_device_unref(struct udev_device *device);
void *__wrap_dlopen(const char *file, int mode);
char *__wrap_dlerror(void);
void *__wrap_dlsym(void *handle, const char *name);
int __wrap_dlclose(void *handle);

struct udev *udev_new(void)
{
	return NULL;
}

struct udev *udev_unref(struct udev *udev)
{
	(void)udev;
	return NULL;
}

struct udev_device *udev_device_new_from_subsystem_sysname(struct udev *udev, const char *subsystem,
							   const char *sysname)
{
	(void)udev;
	(void)subsystem;
	(void)sysname;
	return NULL;
}

const char *udev_device_get_property_value(struct udev_device *device, const char *key)
{
	(void)device;
	(void)key;
	return NULL;
}

struct udev_device *udev_device_unref(struct udev_device *device)
{
	(void)device;
	return NULL;
}

void *__wrap_dlopen(const char *file, int mode)
{
	(void)file;
	(void)mode;
	return NULL;
}

char *__wrap_dlerror(void)
{
	static char text[] = "this program is static and loads no libraries";

	return text;
}

void *__wrap_dlsym(void *handle, const char *name)
{
	(void)handle;
	(void)name;
	return NULL;
}

int __wrap_dlclose(void *handle)
{
	(void)handle;
	return 0;
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
