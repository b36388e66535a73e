package dev.outbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Another partition for a key, after an upgrade or in another process, would take it out of its order. */
class PartitionerTest {
    /** As {@code zlib.crc32(key.encode()) % n} has it in Python, which is not made of this code. */
    @ParameterizedTest
    @CsvSource({
        "'', 0, 0, 0, 0, 0, 0",
        "a, 1, 0, 3, 27, 907, 5907",
        "order-1, 1, 1, 15, 39, 79, 79",
        "order-42, 0, 1, 14, 22, 942, 6942",
        "-1, 0, 0, 10, 2, 962, 3962",
        "-9223372036854775808, 1, 1, 11, 3, 643, 3643",
        "' ', 1, 2, 5, 37, 277, 2277",
        "\u00e9, 0, 2, 14, 6, 326, 9326",
        "e\u0301, 1, 2, 13, 5, 445, 445",
        "\u6f22\u5b57, 1, 0, 15, 7, 87, 9087",
        "\ud83d\udc1d, 1, 0, 5, 37, 237, 5237",
        "123e4567-e89b-12d3-a456-426614174000, 0, 2, 6, 30, 470, 8470"
    })
    void theSameKeyIsInTheSamePartitionForever(
            String key, int of2, int of3, int of16, int of40, int of1000, int of10000) {
        assertEquals(of2, Partitioner.partitionOf(key, 2));
        assertEquals(of3, Partitioner.partitionOf(key, 3));
        assertEquals(of16, Partitioner.partitionOf(key, 16));
        assertEquals(of40, Partitioner.partitionOf(key, 40));
        assertEquals(of1000, Partitioner.partitionOf(key, 1_000));
        assertEquals(of10000, Partitioner.partitionOf(key, 10_000));
        assertEquals(0, Partitioner.partitionOf(key, 1));
    }

    /** No partition is left empty, and there is none beyond the last. */
    @Test
    void everyPartitionOfEveryCountHasKeys() {
        for (int partitions = 1; partitions <= 1_000; partitions++) {
            BitSet hit = new BitSet();
            int keys = 0;
            while (hit.cardinality() < partitions) {
                int partition = Partitioner.partitionOf("key-" + keys++, partitions);
                assertTrue(partition >= 0 && partition < partitions, partition + " of " + partitions);
                hit.set(partition);
                assertTrue(keys < 40 * partitions, "empty after " + keys + " keys: " + hit.nextClearBit(0));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
    void aTopicHasAPartition(int partitions) {
        String said = assertThrows(MisuseException.class, () -> Partitioner.partitionOf("key", partitions))
                .getMessage();
        assertTrue(said.contains("partitions is " + partitions), said);
    }
}
