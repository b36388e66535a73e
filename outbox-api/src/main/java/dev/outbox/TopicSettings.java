package dev.outbox;

import java.time.Duration;

/**
 * What a publisher may want to know of a topic before it gets messages of it, for {@link BrokerPublisher#check}.
 *
 * @param name the name of the topic
 * @param partitions how many partitions newly published messages are spread over
 * @param inFlight how many messages of one partition an asynchronous publisher may have in flight
 * @param publishTimeout after what time a message counts as failed
 * @param retry what happens to messages that fail
 */
public record TopicSettings(String name, int partitions, int inFlight, Duration publishTimeout, RetryPolicy retry) {}
