/** ElasticMQ, which speaks the protocol of SQS, for tests, to be run in a JVM of its own. */
@NullMarked
package dev.outbox.sqs.server;

import org.jspecify.annotations.NullMarked;
