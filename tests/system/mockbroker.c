/* mockbroker.c - librdkafka's mock cluster as a program, for machines without Java or a registry.
 *
 * Prints the bootstrap address; then each line "topic NAME PARTITIONS" makes a topic and is answered "ok" or what went wrong.
 * Ends at the end of its input. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>

int main(void)
{
    char why[512];
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof why);
    rd_kafka_mock_cluster_t *cluster = rk ? rd_kafka_mock_cluster_new(rk, 1) : NULL;
    if (!cluster) {
        fprintf(stderr, "mockbroker: %s\n", rk ? "no cluster" : why);
        return 1;
    }
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);

    char line[512], name[256];
    int partitions;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "topic %255s %d", name, &partitions) != 2) puts("not understood");
        else
            puts(rd_kafka_mock_topic_create(cluster, name, partitions, 1)
                     ? "could not make the topic"
                     : "ok");
        fflush(stdout);
    }
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(rk);
    return 0;
}
