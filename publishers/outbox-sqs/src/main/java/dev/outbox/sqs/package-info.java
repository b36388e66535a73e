/** A publisher to Amazon SQS, over the SDK of AWS. {@code docs/SQS.md} has settings and promises. */
package dev.outbox.sqs;
