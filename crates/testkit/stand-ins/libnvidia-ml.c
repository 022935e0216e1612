/*
 * A stand-in for NVIDIA's management library: the functions of its C interface that Watchkeeper calls,
 * under the names and with the numbers of that interface. It is built by tests, and shows what a file
 * says, so that a test can take a GPU away, or let one call fail. It proves nothing about real GPUs.
 *
 * The file CONTROL has one line for each thing:
 *   gpus N             there are N GPUs (0 to 8)
 *   init CODE          initialization fails with this code
 *   count CODE         counting the GPUs fails with this code
 *   fail GPU CALL CODE the call (uuid, name, utilization, memory, ...; `all` for each) fails on this GPU
 *   process GPU PID BYTES
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SUCCESS = 0,
    UNINITIALIZED = 1,
    INVALID_ARGUMENT = 2,
    INSUFFICIENT_SIZE = 7,
    VERSION_MISMATCH = 25,
};

#define MAX_GPUS 8
#define MAX_LINES 64
#define MEBIBYTE (1024ULL * 1024ULL)

typedef struct { unsigned index; } *Device;
typedef struct { unsigned gpu, memory; } Utilization;
typedef struct { unsigned version; unsigned long long total, reserved, available, used; } Memory;
typedef struct { unsigned pid; unsigned long long used; unsigned gpu_instance, compute_instance; } Process;

static struct { unsigned index; } devices[MAX_GPUS] = {{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}};
static int initialized = 0;

/* Calls `each` with every line of the control file, until it says that it is done. */
static void lines(int (*each)(const char *line, void *state), void *state) {
    char line[256];
    FILE *file = fopen(CONTROL, "r");
    if (file == NULL) return;
    for (int count = 0; count < MAX_LINES && fgets(line, sizeof line, file) != NULL; count++) {
        if (each(line, state)) break;
    }
    fclose(file);
}

typedef struct { const char *key; int value; } Number;

static int find_number(const char *line, void *state) {
    Number *number = state;
    char key[32];
    int value;
    if (sscanf(line, "%31s %d", key, &value) == 2 && strcmp(key, number->key) == 0) {
        number->value = value;
        return 1;
    }
    return 0;
}

static int number(const char *key, int otherwise) {
    Number wanted = {key, otherwise};
    lines(find_number, &wanted);
    return wanted.value;
}

typedef struct { unsigned gpu; const char *call; int code; } Failure;

static int find_failure(const char *line, void *state) {
    Failure *failure = state;
    unsigned gpu;
    char call[32];
    int code;
    if (sscanf(line, "fail %u %31s %d", &gpu, call, &code) == 3 && gpu == failure->gpu
        && (strcmp(call, failure->call) == 0 || strcmp(call, "all") == 0)) {
        failure->code = code;
        return 1;
    }
    return 0;
}

static int failure(Device device, const char *call) {
    if (!initialized) return UNINITIALIZED;
    Failure wanted = {device->index, call, SUCCESS};
    lines(find_failure, &wanted);
    return wanted.code;
}

#define FAIL_AS_TOLD(call) \
    do { int code = failure(device, call); if (code != SUCCESS) return code; } while (0)

int nvmlInit_v2(void) {
    int code = number("init", SUCCESS);
    initialized = code == SUCCESS;
    return code;
}

int nvmlShutdown(void) {
    initialized = 0;
    return SUCCESS;
}

int nvmlSystemGetDriverVersion(char *version, unsigned length) {
    snprintf(version, length, "570.86.15");
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    int code = number("count", SUCCESS);
    *count = (unsigned)number("gpus", 2);
    return code;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device *device) {
    if (index >= MAX_GPUS) return INVALID_ARGUMENT;
    *device = (Device)&devices[index];
    return failure(*device, "handle");
}

int nvmlDeviceGetUUID(Device device, char *uuid, unsigned length) {
    FAIL_AS_TOLD("uuid");
    snprintf(uuid, length, "GPU-00000000-0000-0000-0000-00000000000%u", device->index);
    return SUCCESS;
}

int nvmlDeviceGetName(Device device, char *name, unsigned length) {
    FAIL_AS_TOLD("name");
    snprintf(name, length, "NVIDIA Stand-In");
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(Device device, Utilization *utilization) {
    FAIL_AS_TOLD("utilization");
    utilization->gpu = 97;
    utilization->memory = 40;
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo_v2(Device device, Memory *memory) {
    FAIL_AS_TOLD("memory");
    if (memory->version != (sizeof(Memory) | (2u << 24))) return VERSION_MISMATCH;
    memory->total = 81920 * MEBIBYTE;
    memory->reserved = 512 * MEBIBYTE;
    memory->used = 20480 * MEBIBYTE;
    memory->available = memory->total - memory->reserved - memory->used;
    return SUCCESS;
}

int nvmlDeviceGetTemperature(Device device, int sensor, unsigned *celsius) {
    FAIL_AS_TOLD("temperature");
    if (sensor != 0) return INVALID_ARGUMENT;
    *celsius = 64;
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(Device device, unsigned *milliwatts) {
    FAIL_AS_TOLD("power");
    *milliwatts = 412500;
    return SUCCESS;
}

int nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned *milliwatts) {
    FAIL_AS_TOLD("power_limit");
    *milliwatts = 700000;
    return SUCCESS;
}

int nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long *millijoules) {
    FAIL_AS_TOLD("energy");
    *millijoules = 1234500;
    return SUCCESS;
}

int nvmlDeviceGetClockInfo(Device device, int domain, unsigned *megahertz) {
    FAIL_AS_TOLD("clock");
    *megahertz = domain == 2 ? 2619 : 1980;
    return SUCCESS;
}

int nvmlDeviceGetTotalEccErrors(Device device, int kind, int counter, unsigned long long *count) {
    FAIL_AS_TOLD("ecc");
    if (counter != 0) return INVALID_ARGUMENT;
    *count = kind == 1 ? 2 : 5;
    return SUCCESS;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(Device device, unsigned long long *reasons) {
    FAIL_AS_TOLD("throttle");
    /* The power cap, and the hardware's thermal slowdown. */
    *reasons = 0x4ULL | 0x40ULL;
    return SUCCESS;
}

typedef struct { unsigned gpu, count, room; Process *into; } Processes;

static int gather_process(const char *line, void *state) {
    Processes *processes = state;
    unsigned gpu, pid;
    unsigned long long bytes;
    if (sscanf(line, "process %u %u %llu", &gpu, &pid, &bytes) == 3 && gpu == processes->gpu) {
        if (processes->count < processes->room) {
            Process process = {pid, bytes, 0xFFFFFFFF, 0xFFFFFFFF};
            processes->into[processes->count] = process;
        }
        processes->count++;
    }
    return 0;
}

int nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned *count, Process *into) {
    FAIL_AS_TOLD("processes");
    Processes processes = {device->index, 0, into == NULL ? 0 : *count, into};
    lines(gather_process, &processes);
    *count = processes.count;
    return processes.count > processes.room ? INSUFFICIENT_SIZE : SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v2(Device device, unsigned *count, Process *into) {
    return nvmlDeviceGetComputeRunningProcesses_v3(device, count, into);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(Device device, unsigned *count, Process *into) {
    (void)into;
    FAIL_AS_TOLD("processes");
    *count = 0;
    return SUCCESS;
}

int nvmlDeviceGetGraphicsRunningProcesses_v2(Device device, unsigned *count, Process *into) {
    return nvmlDeviceGetGraphicsRunningProcesses_v3(device, count, into);
}
