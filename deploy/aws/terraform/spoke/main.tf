# The role that Groma's broker assumes in an account: what AWS calls security audit, and nothing that writes.
data "aws_partition" "current" {}

resource "aws_iam_role" "spoke" {
  name                 = var.role_name
  description          = "Read-only survey by Groma"
  assume_role_policy   = local.trust
  max_session_duration = var.max_session_seconds
  tags                 = var.tags
}

resource "aws_iam_role_policy_attachment" "reading" {
  for_each   = toset(local.managed_policies)
  role       = aws_iam_role.spoke.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.value}"
}

output "role_arn" {
  description = "For role_arn of a profile."
  value       = aws_iam_role.spoke.arn
}
